"""From a request or a socket handshake to a principal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from platform_site.common import keys, tokens
from platform_site.common.open_mode import is_open_for
from platform_site.common.principals import ANONYMOUS, Principal, user_principal


@dataclass(frozen=True)
class Handshake:
    """What a caller showed: lower-case headers, the peer, the user where sessions count."""

    headers: Mapping[str, str]
    peer: str
    http_version: str = "1.1"
    is_safe: bool = True
    session_user: User | AnonymousUser | None = None
    query_token: str = ""
    subprotocol_token: str = ""


class BadCredentials(Exception):
    """A credential was shown and it is not good: 401, never a fall through to the next one."""


def principal_of(shown: Handshake) -> Principal | None:
    """The caller, or None without any credential. Raises BadCredentials.

    Read in the order X-API-Key, Authorization: Bearer, subprotocol, query, session; the first
    one present decides.
    """
    secret = _secret(shown)
    if secret:
        principal = keys.key_principal(secret) or tokens.token_principal(secret)
        if principal is not None:
            return principal
        if is_open_for(shown) and not keys.key_was_issued(secret) and not tokens.is_ours(secret):
            return ANONYMOUS
        raise BadCredentials
    if shown.session_user is not None and shown.session_user.is_authenticated:
        return user_principal(shown.session_user)
    return ANONYMOUS if settings.OPEN_API and is_open_for(shown) else None


def _secret(shown: Handshake) -> str:
    headers = shown.headers
    if key := headers.get("x-api-key", ""):
        return key.strip()
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential.strip():
        return credential.strip()
    return shown.subprotocol_token or shown.query_token


def http_handshake(request: Any, *, accepts_session: bool) -> Handshake:
    """The handshake of a Django request."""
    return Handshake(
        headers={name.lower(): value for name, value in request.headers.items()},
        peer=request.META.get("REMOTE_ADDR", ""),
        http_version=request.META.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/"),
        is_safe=request.method in ("GET", "HEAD", "OPTIONS"),
        session_user=getattr(request, "user", None) if accepts_session else None,
    )
