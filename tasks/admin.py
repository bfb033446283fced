"""Tasks in the console: the queue, why something waits, and what operators do about it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
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
    link_to,
    mono,
    pretty_json,
    quantity,
    row_link,
    service_action,
    status_chip,
    table,
    timeline,
)
from platform_site.common.admin.columns import EMPTY, code, duration, moment
from platform_site.common.admin.forms import text_field
from registry.models import Agent
from tasks import services
from tasks.models import Attempt, ConcurrencyLimit, OrphanResult, Task, TaskClass, TickLease

CLOSED_BADLY = (Task.Status.FAILED, Task.Status.EXPIRED, Task.Status.CANCELLED)


class QueueFilter(admin.SimpleListFilter):
    """Where tasks pile up; the tiles of the control room link here."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("waiting", "waits for an agent or a time"),
            ("leased", "an agent works on it"),
            ("dead", "dead letters"),
            ("open", "not over yet"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        conditions: dict[str, dict[str, Any]] = {
            "waiting": {"status__in": Task.QUEUED},
            "leased": {"status__in": Task.LEASED},
            "dead": {"dead_lettered_at__isnull": False},
            "open": {"status__in": Task.OPEN},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


class AgentFilter(admin.SimpleListFilter):
    """By the agent that a task is for."""

    title = "agent"
    parameter_name = "agent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Agent.objects.filter(deregistered_at=None).order_by("name")
        return list(rows.values_list("agent_id", "name")[:100])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(agent_id=self.value()) if self.value() else queryset


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
        mono("task_type", "type"),
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
        return code(task.assigned_agent or task.agent_id) if _has_agent(task) else "whoever can"

    @admin.display(description="last error")
    def last_error(self, task: Task) -> str:
        return _sentence(task.error)

    def panels(self, request: HttpRequest, row: Task) -> list[Panel]:
        return [_attempts(row), _late_results(row), timeline(history(row))]


def _has_agent(task: Task) -> bool:
    return bool(task.assigned_agent or task.agent_id)


def _sentence(error: Any) -> str:
    if not error:
        return EMPTY
    text = str(error.get("message") or error) if isinstance(error, dict) else str(error)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _attempts(task: Task) -> Panel:
    rows = [
        (
            attempt.number,
            row_link(attempt.agent, attempt.agent.name),
            status_chip(attempt.outcome),
            moment(attempt.started_at),
            duration((attempt.ended_at - attempt.started_at).total_seconds())
            if attempt.ended_at
            else EMPTY,
            _sentence(attempt.error),
        )
        for attempt in task.attempt_rows.select_related("agent").order_by("-number")[:50]
    ]
    headers = ("#", "agent", "outcome", "started", "took", "error")
    return table("Attempts", headers, rows, empty="No agent has started it yet.")


def _late_results(task: Task) -> Panel:
    rows = [
        (
            row_link(late, f"result {late.number}"),
            status_chip(late.status),
            late.agent.name,
            late.differs,
        )
        for late in task.orphans.select_related("agent")
    ]
    note = "Results that came under an outdated lease; they change nothing until somebody decides."
    headers = ("result", "state", "agent", "differs from the accepted one")
    return table("Late results", headers, rows, note=note, empty="None.")


@admin.register(OrphanResult)
class OrphanResultAdmin(ReadOnlyAdmin):
    """Late results: work that was done under a lease that was over."""

    view_permission = "task:view"
    title, icon, rank = "late results", "history", 40
    list_display = ("__str__", chip("status"), "agent", "differs", ago("created_at", "came"))
    list_filter = ("status",)
    list_select_related = ("task", "agent")
    fields = (
        (link_to("task"), link_to("agent"), chip("status")),
        ("number", "lease_epoch", "differs"),
        pretty_json("result"),
        ("decided_by", "reason"),
    )
    actions = [
        service_action(
            services.orphan_accept,
            "Accept",
            form=ReasonDialog,
            to=OrphanResult.Status.ACCEPTED,
            icon="check",
            effect="It becomes the result of the task.",
        ),
        service_action(
            services.orphan_discard,
            "Discard",
            form=ReasonDialog,
            to=OrphanResult.Status.DISCARDED,
            danger=True,
            icon="delete",
            effect="It stays stored and counts for nothing.",
        ),
    ]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Every start of every task."""

    view_permission = "task:view"
    icon, rank = "directions_run", 45
    list_display = (
        "__str__",
        link_to("agent"),
        chip("outcome"),
        ago("started_at", "started"),
        ago("ended_at", "ended"),
    )
    list_filter = ("outcome",)
    list_select_related = ("agent", "task")
    ordering = ("-pk",)
    search_fields = ("=task__id",)
    fields = (
        (link_to("task"), link_to("agent"), chip("outcome")),
        ("number", "late"),
        ("started_at", "ended_at"),
        pretty_json("error"),
    )


@admin.register(TaskClass)
class TaskClassAdmin(ReadOnlyAdmin):
    """Sets of demands on agents; each task belongs to one."""

    view_permission = "task:view"
    icon, rank = "category", 70
    list_display = ("__str__", "agent_type", mono("agent_id", "agent"), "min_health", "p90_ms")
    search_fields = ("=key", "=agent_id")


@admin.register(ConcurrencyLimit)
class ConcurrencyLimitAdmin(ReadOnlyAdmin):
    """How much of something may run at once."""

    view_permission = "system:config"
    icon, rank = "speed", 75
    list_display = (mono("key"), "limit", ago("updated_at", "changed"))


@admin.register(TickLease)
class TickLeaseAdmin(ReadOnlyAdmin):
    """Which process does the regular work at present."""

    view_permission = "system:config"
    icon, rank = "timer", 80
    list_display = (mono("name"), "host", "pid", ago("expires_at", "held until"))
