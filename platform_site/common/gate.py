"""The gate of the HTTP edge: who calls, and may they call this."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from platform_site.common.credentials import BadCredentials, principal_of
from platform_site.common.handshake import http_handshake


class CredentialAuthentication(BaseAuthentication):
    """Puts the Principal into `request.auth`; a session needs the CSRF token as in the console."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        django_request = request._request
        port = request.META.get("SERVER_PORT", "")
        on_port = str(settings.PORT) == port or port in settings.SESSION_PORTS
        try:
            principal = principal_of(http_handshake(django_request, accepts_session=on_port))
        except BadCredentials as error:
            raise AuthenticationFailed("Authentication required") from error
        if principal is None:
            return None
        if principal.via == "session":
            SessionAuthentication().enforce_csrf(request)
        return principal.user or AnonymousUser(), principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayCall(BasePermission):
    """Asks the matrix for the permission that the view declares in `access` for the action called.

    A view whose `access` says None for an action is open to everybody (health).
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        name = getattr(view, "action", None) or str(request.method).lower()
        declared: dict[str, Any] = view.access
        if name == "head" and name not in declared:
            name = "get"  # a HEAD is answered by the method that answers a GET
        is_public = all(word is None for word in declared.values())
        if (name in declared and declared[name] is None) or (name == "options" and is_public):
            return True
        principal: Any = request.auth
        if principal is None:
            return False  # DRF turns this into 401, for the caller showed no credential
        if name in declared:
            reach: Any = principal.require(declared[name])
            request.reach = reach  # type: ignore[attr-defined]  # for the view: whose rows
        return name in declared or getattr(view, "action", name) in (None, "metadata", "options")
