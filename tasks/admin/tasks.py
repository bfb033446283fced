"""The page of a task: why it waits, how it went, what operators do about it."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from messaging.history import history
from platform_site.common.admin import (
    Dialog,
    Panel,
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    chip,
    mono,
    pretty_json,
    quantity,
    service_action,
    timeline,
)
from platform_site.common.admin.columns import code
from platform_site.common.admin.forms import text_field
from tasks import services
from tasks.admin.filters import AgentFilter, QueueFilter
from tasks.admin.panels import attempts_of, late_results, sentence_of, why
from tasks.models import Task

CLOSED_BADLY = (Task.Status.FAILED, Task.Status.EXPIRED, Task.Status.CANCELLED)


class CancelDialog(Dialog):
    """Why it is not wanted any more."""

    reason = text_field("Reason", required=False)


def _cancel_effect(task: Task) -> str:
    if task.status in Task.LEASED:
        return "The agent is asked to stop; it has a time of grace, then the lease is taken back."
    return "It is cancelled at once; what depends on it is cancelled as well."


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Everything that anybody has to do, by whom, and how it went."""

    view_permission = "task:view"
    icon, rank = "task_alt", 20
    list_display = (
        "short_title",
        chip("status"),
        "target",
        quantity("priority"),
        ago("ready_at", "ready"),
        quantity("attempts", "tries"),
        "last_error",
        ago("created_at", "submitted"),
    )
    list_filter = (QueueFilter, "status", AgentFilter)
    search_fields = ("=id", "^task_type", "title", "=trace_id")
    search_help_text = "A task's id, a trace, the start of a type, a part of a title."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("title", chip("status"), mono("id")),
                    "description",
                    (mono("task_type", "type"), "target", "submitted_by"),
                    ("priority", "attempts", "failures", "lease_losses", "releases"),
                    pretty_json("error"),
                    ("dead_lettered_at", "dead_letter_reason"),
                    ("cancel_requested_at", "cancel_reason"),
                )
            },
        ),
        (
            "What it carries",
            {
                "fields": (
                    pretty_json("payload"),
                    pretty_json("result"),
                    ("progress", "note"),
                    pretty_json("question"),
                    pretty_json("answer"),
                    pretty_json("required_capabilities", "capabilities that it asks for"),
                    pretty_json("resources"),
                    pretty_json("policy"),
                )
            },
        ),
        (
            "Times",
            {
                "fields": (
                    ("created_at", "run_at", "due_at", "ready_at"),
                    ("first_leased_at", "started_at", "closed_at"),
                    ("deadline", "queue_expires_at"),
                    (mono("trace_id", "trace"), mono("causation_id", "caused by")),
                )
            },
        ),
    )
    actions = [
        service_action(
            services.task_retry_now,
            "Retry now",
            to=Task.Status.PENDING,
            when=lambda task: task.status == Task.Status.RETRYING,
            icon="bolt",
            effect="It does not wait for its back-off.",
        ),
        service_action(
            services.task_redrive,
            "Redrive",
            form=ReasonDialog,
            to=Task.Status.PENDING,
            when=lambda task: task.status in CLOSED_BADLY,
            icon="replay",
            effect="It runs again with a fresh budget of tries; what it was stays in the log.",
        ),
        service_action(
            services.task_cancel,
            "Cancel",
            form=CancelDialog,
            to=Task.Status.CANCELLED,
            danger=True,
            icon="cancel",
            effect=_cancel_effect,
        ),
    ]

    @admin.display(description="title", ordering="title")
    def short_title(self, task: Task) -> str:
        return task.title if len(task.title) <= 70 else f"{task.title[:70]}…"

    @admin.display(description="for", ordering="agent_id")
    def target(self, task: Task) -> SafeString | str:
        return code(task.assigned_agent or task.agent_id) if has_agent(task) else "whoever can"

    @admin.display(description="last error")
    def last_error(self, task: Task) -> str:
        return sentence_of(task.error)

    def panels(self, request: HttpRequest, row: Task) -> list[Panel]:
        return [why(row), attempts_of(row), late_results(row), timeline(history(row))]


def has_agent(task: Task) -> bool:
    return bool(task.assigned_agent or task.agent_id)
