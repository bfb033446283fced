"""The one function that says from which address a request comes."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The peer; behind a trusted proxy, the rightmost forwarded address that is not ours."""
    peer: str = request.META.get("REMOTE_ADDR", "")
    if not _is_trusted(peer):
        return peer
    forwarded = request.headers.get("X-Forwarded-For", "")
    for address in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not _is_trusted(address):
            return address
    return peer


def _is_trusted(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)
