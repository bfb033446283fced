"""Named actions of the console: a button calls one service, by POST, behind a dialog."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from platform_site.common import access
from platform_site.common.admin.callers import caller_of, may
from platform_site.common.admin.columns import change_url
from platform_site.common.admin.forms import Dialog
from platform_site.common.errors import Refusal

MAX_BULK = 1000
UNFOLD_READS = ("attrs", "variant", "dialog", "icon", "url_path", "short_description", "__name__")
MAX_SENTENCES = 10  # messages travel in a cookie


class ServiceAction:
    """A button for one service, on the page of a row and over the selected rows of a list.

    `given` are arguments that nobody is asked for; two buttons for one service need a `name` each.
    `creates` makes it a button of the list itself: the service is called without a row.
    """

    do_not_call_in_templates = True

    def __init__(
        self,
        service: Callable[..., Any],
        label: str,
        *,
        form: type[Dialog] = Dialog,
        to: Iterable[str] = (),
        when: Callable[[Any], bool] | None = None,
        danger: bool = False,
        icon: str = "",
        effect: str | Callable[[Any], str] = "",
        name: str = "",
        given: Mapping[str, Any] | None = None,
        creates: bool = False,
        show: Callable[[Any], SafeString] | None = None,
    ) -> None:
        self.service, self.label, self.form = service, label, form
        self.to = (to,) if isinstance(to, str) else tuple(to)
        self.when, self.danger, self.effect = when, danger, effect
        self.icon = icon or ("warning" if danger else "play_arrow")
        self.creates, self.show, self.given = creates, show, dict(given or {})
        self.__name__ = self.name = name or service.__name__
        self.short_description = label
        # What Unfold reads from an action of a page.
        self.attrs: dict[str, Any] = {}
        self.variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
        self.dialog = {"title": label, "description": ""}
        self.url_path = self.__name__.replace("_", "-")

    @property
    def has_permission_declared(self) -> bool:
        """Whether the service stands in the matrix (system check E010)."""
        return getattr(self.service, "permission", "") in access.MATRIX

    def is_allowed(self, request: HttpRequest) -> bool:
        return may(request, self.service)

    def is_possible(self, row: Any) -> bool:
        """Whether the table of transitions, and the action's own condition, let the row take it."""
        if self.to and not set(self.to) & set(map(str, row.TRANSITIONS[row.status])):
            return False
        return self.when is None or bool(self.when(row))

    def effect_on(self, row: Any) -> str:
        """What will happen, said before it does."""
        return self.effect(row) if callable(self.effect) else self.effect

    # On the page of a row -----------------------------------------------------------------------

    def bound(self, admin: Any) -> Callable[..., HttpResponseBase]:
        """The view of this button for one admin, with the attributes that Unfold reads."""
        view = partial(self.dialog_view, admin)
        for name in UNFOLD_READS:
            setattr(view, name, getattr(self, name))
        view.service_action = self  # type: ignore[attr-defined]  # read by the system check
        return view

    def dialog_view(
        self, admin: Any, request: HttpRequest, object_id: str = ""
    ) -> HttpResponseBase:
        """GET shows what will happen and asks; POST does it."""
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        if not self.is_allowed(request) or not admin.has_view_permission(request):
            raise PermissionDenied
        row = None if self.creates else admin.get_object(request, unquote(object_id))
        if row is None and not self.creates:
            raise Http404
        data = request.POST if request.method == "POST" else None
        form = self.form(data, request=request, row=row)
        if request.method == "POST" and form.is_valid():
            try:
                result = self._call(request, row, form)
            except Refusal as refusal:
                form.add_error(None, refusal.detail)
            else:
                return self._answer(admin, request, row, result)
        return self._dialog(request, row, form)

    def _call(self, request: HttpRequest, row: Any, form: Dialog) -> Any:
        arguments = {**self.given, **form.arguments, "actor": caller_of(request).actor}
        return self.service(**arguments) if self.creates else self.service(row, **arguments)

    def _dialog(self, request: HttpRequest, row: Any, form: Dialog) -> HttpResponse:
        context = {
            "action": self,
            "form": form,
            "row": row,
            "effect": self.effect_on(row),
            "address": request.get_full_path(),
        }
        return render(request, "console/dialog.html", context)

    def _answer(self, admin: Any, request: HttpRequest, row: Any, result: Any) -> HttpResponse:
        if self.show is not None:
            context = {"action": self, "shown": self.show(result)}
            return render(request, "console/dialog_result.html", context)
        subject = row or (result if isinstance(result, models.Model) else None)
        messages.success(request, f"{self.label}: {subject}" if subject else f"{self.label}: done.")
        address = change_url(subject) if subject else request.path.rsplit("/", 2)[0] + "/"
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)

    # Over the selected rows of a list -----------------------------------------------------------

    def __call__(
        self, admin: Any, request: HttpRequest, rows: models.QuerySet[Any]
    ) -> HttpResponse | None:
        """Django's bulk action: asks on a page of its own, then calls the service for each row."""
        if not self.is_allowed(request):
            raise PermissionDenied
        selected = list(rows[: MAX_BULK + 1])
        if len(selected) > MAX_BULK:
            messages.error(request, f"Select at most {MAX_BULK:,} rows at a time.")
            return None
        data = request.POST if "_form_submitted" in request.POST else None
        form = self.form(data, request=request)
        if data is None or not form.is_valid():
            return self._confirm(admin, request, selected, form)
        self._run(request, selected, form)
        return None

    def _confirm(
        self, admin: Any, request: HttpRequest, rows: list[Any], form: Dialog
    ) -> TemplateResponse:
        able = [row for row in rows if self.is_possible(row)]
        context = {
            **admin.admin_site.each_context(request),
            "title": self.label,
            "opts": admin.model._meta,
            "action": self,
            "form": form,
            "rows": rows,
            "able": len(able),
            "effects": [(row, self.effect_on(row)) for row in able[:25]],
        }
        return TemplateResponse(request, "console/bulk.html", context)

    def _run(self, request: HttpRequest, rows: list[Any], form: Dialog) -> None:
        refusals = []
        for row in rows:
            try:
                self._call(request, row, form)
            except Refusal as refusal:
                refusals.append(refusal.detail)
        done = len(rows) - len(refusals)
        if done:
            messages.success(request, f"{self.label}: {done} of {len(rows)} done.")
        for sentence in refusals[:MAX_SENTENCES]:
            messages.error(request, sentence)
        if len(refusals) > MAX_SENTENCES:
            messages.error(request, f"{len(refusals) - MAX_SENTENCES} more were refused.")


def service_action(service: Callable[..., Any], label: str, **options: Any) -> ServiceAction:
    """A button that calls `service`: needs its permission, shows each refusal in its own words."""
    return ServiceAction(service, label, **options)
