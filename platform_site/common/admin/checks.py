"""System checks: no console action without a permission, none that changes by GET."""

from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage, Error, register

from platform_site.common.admin.actions import ServiceAction


@register("security")
def console_actions(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E010: an action without permission. E011: an action that no dialog guards."""
    return [error for page in admin.site._registry.values() for error in check_page(page)]


def check_page(page: Any) -> list[CheckMessage]:
    """The errors of one admin class."""
    buttons = [getattr(page, name) for name in _names(page)]
    pressed = (getattr(button, "service_action", button) for button in buttons)
    actions = [*(page.actions or ()), *pressed]
    errors: list[CheckMessage] = []
    for action in actions:
        if not isinstance(action, ServiceAction):
            errors.append(
                Error(
                    f"The console action {action!r} changes rows without a dialog.",
                    hint="Use service_action: GET shows a dialog, POST needs the token.",
                    obj=type(page),
                    id="fleetdesk.E011",
                )
            )
        elif not action.has_permission_declared:
            errors.append(
                Error(
                    f"The console action {action.label!r} calls a service without a permission.",
                    hint="Put @requires above the service.",
                    obj=type(page),
                    id="fleetdesk.E010",
                )
            )
    return errors


def _names(page: Any) -> list[str]:
    lists = ("actions_list", "actions_detail", "actions_row", "actions_submit_line")
    return [
        name
        for actions in lists
        for entry in getattr(page, actions, ())
        for name in (entry["items"] if isinstance(entry, dict) else [entry])
    ]
