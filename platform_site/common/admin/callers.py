"""Who stands before the screen, and what the matrix lets them do here."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from platform_site.common import access
from platform_site.common.principals import Principal, user_principal


def caller_of(request: HttpRequest) -> Principal:
    """The principal of the signed-in person; the groups are read once for each request."""
    principal: Principal | None = getattr(request, "console_principal", None)
    if principal is None:
        if not isinstance(request.user, User):
            raise PermissionDenied  # nobody is signed in
        principal = user_principal(request.user)
        request.console_principal = principal  # type: ignore[attr-defined]  # lives as long as the request
    return principal


def may(request: HttpRequest, permission: str | Callable[..., Any]) -> bool:
    """Whether the person holds the permission for all rows: the console shows everybody's."""
    if not request.user.is_authenticated:
        return False
    return caller_of(request).reach(permission) == access.ALL
