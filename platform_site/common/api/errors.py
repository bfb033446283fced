"""The one exception handler: every refusal as one sentence, one code and its facts."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.response import Response

from platform_site.common import json
from platform_site.common.context import trace_id
from platform_site.common.errors import Refusal

log = logging.getLogger(__name__)
RETRY_AFTER_S = 5


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER."""
    if isinstance(error, Refusal):
        return _refusal(error)
    if isinstance(error, Http404):
        return Response(not_found(_words(error) or "Not found"), 404)
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.ValidationError):
        return Response(invalid(error.detail), 422)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    if isinstance(error, (OperationalError, InterfaceError)):
        log.warning("The database is away: %s", error)
        return Response(unavailable(), 503, headers={"Retry-After": str(RETRY_AFTER_S)})
    log.error("A request failed", exc_info=error)
    return Response(mistake(), 500)


def _refusal(error: Refusal) -> Response:
    if error.status == 404:
        return Response({**not_found(error.detail), **error.facts}, 404)
    headers = {}
    if (seconds := getattr(error, "retry_after_s", None)) is not None:
        headers["Retry-After"] = str(seconds)
    body = {"detail": error.detail, "code": error.code, **error.facts}
    return Response(body, error.status, headers=headers)


def _api_exception(error: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    status, detail = error.status_code, str(error.detail)
    if status == 404:
        return Response(not_found(detail), 404)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
        detail = "Authentication required"
    if status == 405:
        detail = "Method Not Allowed"
    return Response({"detail": detail, "code": error.default_code}, status, headers=headers)


def invalid(detail: Any) -> dict[str, Any]:
    """The body of a 422 from DRF's nested error detail."""
    errors = list(_flat(detail, ""))
    first = errors[0] if errors else {"field": "", "message": "Invalid input."}
    sentence = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return {"detail": sentence, "code": "invalid", "errors": errors}


def _flat(detail: Any, path: str) -> Any:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            here = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from _flat(inner, here)
    elif isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        for index, inner in enumerate(detail):
            yield from _flat(inner, f"{path}[{index}]")
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, path)
    else:
        yield {"field": path, "message": str(detail), "code": getattr(detail, "code", "invalid")}


def not_found(detail: str) -> dict[str, Any]:
    """A 404 for clients of all three APIs, which read different keys."""
    return {
        "detail": detail,
        "code": "not_found",
        "status": "error",
        "message": detail,
        "timestamp": json.instant(timezone.now()),
    }


def unavailable() -> dict[str, Any]:
    return {"detail": "Database not available", "code": "unavailable", "trace_id": trace_id.get()}


def mistake() -> dict[str, Any]:
    return {"detail": "Internal server error", "code": "error", "trace_id": trace_id.get()}


def _words(error: Http404) -> str:
    # Django's own words name the model and the query; only ours are shown.
    words = str(error)
    return "" if " matches the given query" in words or words.startswith("{") else words


def unknown_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for a browser where the console is, JSON for a program and on an agent's own port."""
    has_console = getattr(request, "urlconf", None) is None
    if has_console and "text/html" in request.headers.get("Accept", ""):
        return render(request, "404.html", {"request_path": request.path}, status=404)
    return JsonResponse(not_found("Not Found"), status=404)


def json_500(request: HttpRequest) -> JsonResponse:
    """An error outside DRF; no SQL, no path, no stack."""
    return JsonResponse(mistake(), status=500)
