"""Middleware: a trace for each request, clean input, the routes of the port, the headers."""

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse

from platform_site.common.context import tracing as trace
from platform_site.ports import urlconf_for_port

Answer = Callable[[HttpRequest], HttpResponse]


def tracing(get_response: Answer) -> Answer:
    """Everything that a request does carries one trace id, which the answer names."""

    def handle(request: HttpRequest) -> HttpResponse:
        with trace() as trace_id:
            response = get_response(request)
        response.headers.setdefault("X-Trace-Id", trace_id)
        return response

    return handle


def port_routes(get_response: Answer) -> Answer:
    """An agent's port answers that agent's routes, 9001 the coordinator's, every other port all."""

    def handle(request: HttpRequest) -> HttpResponse:
        urlconf = urlconf_for_port(request.META.get("SERVER_PORT", ""))
        if urlconf is not None:
            request.urlconf = urlconf
        return get_response(request)

    return handle


def clean_input(get_response: Answer) -> Answer:
    """Paths and queries are text without NUL; a chunked body is a body."""

    def handle(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if not (_is_clean(request.path_info) and _is_clean(_decoded(query))):
            detail = "The address holds characters that are not text."
            return JsonResponse({"detail": detail, "code": "invalid"}, status=400)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            try:
                request.META["CONTENT_LENGTH"] = str(len(request.body))
            except RequestDataTooBig:
                limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
                detail = f"The body is over the limit of {limit} bytes."
                return JsonResponse({"detail": detail, "code": "too_large"}, status=413)
        return get_response(request)

    return handle


def _decoded(query: str) -> str:
    try:
        return unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return "\0"


def _is_clean(text: str) -> bool:
    return "\0" not in text and "\ufffd" not in text


def https_when_exposed(get_response: Answer) -> Answer:
    """Over plain http pages are sent to https; API calls are refused, for the key went in clear."""

    def handle(request: HttpRequest) -> HttpResponse:
        if settings.ALLOW_HTTP or request.is_secure():
            return get_response(request)
        if request.path_info == "/health":
            return get_response(request)
        if request.path_info.startswith("/admin/"):
            return HttpResponsePermanentRedirect(
                f"https://{request.get_host()}{request.get_full_path()}"
            )
        detail = "Use https; a key that was sent just now should be replaced."
        return JsonResponse({"detail": detail, "code": "https_required"}, status=403)

    return handle


def security_headers(get_response: Answer) -> Answer:
    """Answers of the APIs are never stored by a cache; open mode shows on every answer."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("application/json"):
            response.headers.setdefault("Cache-Control", "no-store")
        if settings.OPEN_API:
            response.headers["X-Fleetdesk-Open"] = "1"
        return response

    return handle
