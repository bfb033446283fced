"""From a request or a socket handshake to a principal."""

from django.conf import settings

from platform_site.common import keys, tokens
from platform_site.common.handshake import Handshake
from platform_site.common.open_mode import is_open_for
from platform_site.common.principals import ANONYMOUS, Principal, user_principal


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
