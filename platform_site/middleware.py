"""Middleware: a trace for each request, the routes of the port, the headers of every answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

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
            request.urlconf = urlconf  # type: ignore[assignment]  # a tuple of patterns works as well
        return get_response(request)

    return handle


def security_headers(get_response: Answer) -> Answer:
    """Answers of the APIs are never stored by a cache."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("application/json"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle
