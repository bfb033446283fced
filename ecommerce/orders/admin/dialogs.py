"""What people are asked before they act on orders."""

from typing import Any

from ecommerce.orders.models import (
    OrderHold,
)
from platform_site.common.admin import (
    Dialog,
)
from platform_site.common.admin.callers import caller_of
from platform_site.common.admin.forms import choice_field, text_field


class HoldDialog(Dialog):
    """Why the order may not go on."""

    reason = choice_field("Reason", OrderHold.Reason.choices, initial=OrderHold.Reason.MANUAL)
    note = text_field("Note", required=False, max_length=500)


class NoteDialog(Dialog):
    """A remark for colleagues."""

    text = text_field("Note", max_length=2000)


class ReleaseDialog(Dialog):
    """Why it may go on."""

    note = text_field("Why it may go on", max_length=500)


class TakeDialog(Dialog):
    """The hold becomes mine."""

    @property
    def arguments(self) -> dict[str, Any]:
        return {"owner": caller_of(self.request).actor}


class CodeDialog(Dialog):
    """A stock code and what it stands for."""

    code = text_field("Code", max_length=40)
    name = text_field("What it stands for", max_length=120)
