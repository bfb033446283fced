"""The base of all console pages: rows are viewed; what changes them is a named action."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, TabularInline

from platform_site.common.admin.actions import ServiceAction
from platform_site.common.admin.callers import may
from platform_site.common.admin.columns import masked
from platform_site.common.admin.panels import Panel

REFUSED_LOOKUPS = {"regex", "iregex"}


class MatrixPermissions:
    """Asks the matrix of `common.access`, not Django's model permissions."""

    view_permission: str
    change_permission = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.view_permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, self.view_permission)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.change_permission) and may(request, self.change_permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.change_permission) and may(request, self.change_permission)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """No regular expressions from the address bar: they are a lever for denial of service."""
        if REFUSED_LOOKUPS & set(lookup.split("__")):
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]  # a mixin

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)  # type: ignore[misc]  # a mixin
        except IncorrectLookupParameters as error:
            raise SuspiciousOperation("The filter in the address is not valid.") from error


class ReadOnlyAdmin(MatrixPermissions, ModelAdmin):
    """Rows are viewed by whoever holds `view_permission`; `actions` are service actions.

    Each action stands over the list, for the selected rows, and on the page of a row.
    """

    list_per_page = 25
    list_max_show_all = 25
    show_full_result_count = False
    list_filter_submit = False
    list_fullwidth = True
    actions: Any = ()
    personal: tuple[Any, ...] = ()  # columns masked without `customer:personal`
    change_form_outer_after_template = "console/panels.html"

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        self.actions_detail: list[str] = []
        self.actions_list: list[str] = []
        for action in self.actions:
            if isinstance(action, ServiceAction):
                name = f"press_{action.__name__}"
                setattr(self, name, action.bound(self))
                (self.actions_list if action.creates else self.actions_detail).append(name)
        self.actions = [a for a in self.actions if not getattr(a, "creates", False)]
        super().__init__(model, admin_site)

    def panels(self, request: HttpRequest, row: Any) -> list[Panel]:
        """What stands below the fields of a row."""
        return []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All columns of the row, unless the page names its own."""
        fields = self.fields or [field.name for field in self.model._meta.concrete_fields]
        return self._shown(request, fields)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        return [
            (name, {**options, "fields": self._shown(request, options["fields"])})
            for name, options in sets
        ]

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._shown(request, super().get_list_display(request))

    def _shown(self, request: HttpRequest, fields: Any) -> list[Any]:
        if not self.personal or may(request, "customer:personal"):
            return list(fields)
        return [
            tuple(self._shown(request, field))
            if isinstance(field, (tuple, list))
            else masked(field)
            if field in self.personal
            else field
            for field in fields
        ]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        seen: dict[Any, Any] = request.__dict__.setdefault("console_rows", {})
        key = (self.model, str(object_id), from_field)
        if key not in seen:
            seen[key] = super().get_object(request, object_id, from_field)
        return seen[key]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            action.__name__: (action, action.__name__, action.label)
            for action in self.actions
            if isinstance(action, ServiceAction) and action.is_allowed(request)
        }

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        actions = super().get_actions_list(request)
        return [action for action in actions if _action(action).is_allowed(request)]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if _action(action).is_allowed(request) and _action(action).is_possible(row)
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request, row):
            extra_context = {**(extra_context or {}), "panels": self.panels(request, row)}
        return super().change_view(request, object_id, form_url, extra_context)


def _action(action: Any) -> ServiceAction:
    pressed: Callable[..., Any] = action.method
    return pressed.service_action  # type: ignore[attr-defined]  # set by ServiceAction.bound


class ReadOnlyInline(TabularInline):
    """Rows that belong to another, shown with it: at most 50, otherwise link to a list."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True
    per_page = 50
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the parent

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
