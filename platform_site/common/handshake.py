"""What a caller shows of itself, the same for requests and for sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User


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


def http_handshake(request: Any, *, accepts_session: bool) -> Handshake:
    """The handshake of a Django request."""
    return Handshake(
        headers={name.lower(): value for name, value in request.headers.items()},
        peer=request.META.get("REMOTE_ADDR", ""),
        http_version=request.META.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/"),
        is_safe=request.method in ("GET", "HEAD", "OPTIONS"),
        session_user=getattr(request, "user", None) if accepts_session else None,
    )
