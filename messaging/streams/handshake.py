"""Who opens a socket, and may they: decided before the handshake is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from messaging.topics import Sight
from platform_site.common.credentials import BadCredentials, principal_of
from platform_site.common.handshake import Handshake
from platform_site.common.principals import Principal

SUBPROTOCOL = "fleetdesk.v1"
BEARER = "bearer."
PERMISSION = "event:view"


class Refused(Exception):
    """The socket is not opened: 401 without good proof, 403 without the right."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


@dataclass(frozen=True)
class Admission:
    """Who is connected and what they may see."""

    principal: Principal
    sight: Sight
    query: Mapping[str, list[str]]
    subprotocol: str | None


def admit(scope: Mapping[str, Any]) -> Admission:
    """The caller of a socket. Raises Refused. Asks the database."""
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    host = headers.get("host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        raise Refused(403, "This host name is not served here.")
    origin = headers.get("origin")
    is_own = origin is not None and origin == _own_origin(scope, headers)
    principal = _principal(scope, headers, query, is_own=is_own)
    is_welcome = origin is None or is_own or origin in settings.ALLOWED_ORIGINS
    # Open mode has looked at the Origin itself: pages of this machine need no credential.
    if not is_welcome and (principal is None or principal.via != "open"):
        raise Refused(403, "Pages of this origin may not connect.")
    if principal is None:
        raise Refused(401, "Authentication required")
    if not principal.may(PERMISSION):
        raise Refused(403, f"This needs the permission {PERMISSION}.")
    offered = scope.get("subprotocols") or []
    chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
    return Admission(principal, Sight(principal), query, chosen)


def _principal(
    scope: Mapping[str, Any], headers: dict[str, str], query: dict[str, list[str]], *, is_own: bool
) -> Principal | None:
    offered = scope.get("subprotocols") or []
    bearers = [word.removeprefix(BEARER) for word in offered if word.startswith(BEARER)]
    shown = Handshake(
        headers=headers,
        peer=(scope.get("client") or ("", 0))[0],
        http_version=scope.get("http_version", "1.1"),
        is_safe=False,  # a page of a stranger may open a socket without asking
        session_user=_session_user(scope, headers) if is_own else None,
        query_token=query.get("token", [""])[0],
        subprotocol_token=bearers[0] if bearers else "",
    )
    try:
        return principal_of(shown)
    except BadCredentials:
        raise Refused(401, "Authentication required") from None


def _own_origin(scope: Mapping[str, Any], headers: dict[str, str]) -> str:
    is_secure = scope.get("scheme") == "wss"
    if settings.TRUSTED_PROXIES and headers.get("x-forwarded-proto") == "https":
        is_secure = True
    return f"{'https' if is_secure else 'http'}://{headers.get('host', '')}"


def _session_user(scope: Mapping[str, Any], headers: dict[str, str]) -> User | AnonymousUser | None:
    port = str((scope.get("server") or ("", 0))[1])
    if port != str(settings.PORT) and port not in settings.SESSION_PORTS:
        return None
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if cookie is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value)
    user = get_user(request)
    return user if isinstance(user, (User, AnonymousUser)) else None
