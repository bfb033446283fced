"""The forms of dialogs, in the look of the console."""

import uuid
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from unfold import widgets
from unfold.forms import BaseDialogForm


class Dialog(BaseDialogForm):
    """The form of a dialog: its fields become the keyword arguments of the service.

    `row` is what the action is about; None in a list or a bulk action.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        request: HttpRequest,
        row: models.Model | None = None,
    ) -> None:
        self.row = row
        super().__init__(request, row.pk if row else None, data)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the service is called with."""
        submitted = "_form_submitted"
        return {name: value for name, value in self.cleaned_data.items() if name != submitted}


def text_field(label: str, *, required: bool = True, **options: Any) -> forms.CharField:
    options.setdefault("max_length", 200)
    widget = widgets.UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, required=required, widget=widget, **options)


def choice_field(
    label: str, choices: Any, *, required: bool = True, **options: Any
) -> forms.ChoiceField:
    widget = widgets.UnfoldAdminSelectWidget()
    return forms.ChoiceField(
        label=label, required=required, choices=choices, widget=widget, **options
    )


def whole_field(label: str, *, required: bool = True, **options: Any) -> forms.IntegerField:
    widget = widgets.UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(label=label, required=required, widget=widget, **options)


def amount_field(label: str, *, required: bool = True, **options: Any) -> forms.DecimalField:
    widget = widgets.UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"})
    options = {"max_digits": 12, "decimal_places": 2, **options}
    return forms.DecimalField(label=label, required=required, widget=widget, **options)


class ReasonDialog(Dialog):
    """Where money, stock or people are touched, the log says why."""

    reason = text_field("Reason", help_text="Kept in the log with your name.")


class KeyedDialog(Dialog):
    """For money: the dialog carries an idempotency key, so that pressing twice asks once."""

    key = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["key"].initial = f"console-{uuid.uuid4()}"
