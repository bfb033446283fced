"""Open mode: anonymous callers, from this machine only."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from platform_site.common.handshake import Handshake

FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
)
LOOPBACK_NAMES = ("localhost",)


def is_open_for(shown: Handshake) -> bool:
    """Whether this caller may be anonymous: all signs say, a program of this machine."""
    if not settings.OPEN_API or any(name.startswith("x-forwarded-") for name in shown.headers):
        return False
    if any(shown.headers.get(name) for name in FORWARDED) or shown.http_version == "1.0":
        return False
    if not _is_loopback(shown.peer) or not _is_loopback(_host(shown.headers.get("host", ""))):
        return False
    origin = shown.headers.get("origin")
    if origin is None or shown.is_safe:
        return True
    return origin in settings.ALLOWED_ORIGINS or _is_loopback(urlsplit(origin).hostname or "")


def _host(header: str) -> str:
    return urlsplit(f"//{header}").hostname or ""


def _is_loopback(name: str) -> bool:
    if name in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
