"""What stands behind the tasks: late results, attempts, demands, limits, ticks."""

from django.contrib import admin

from platform_site.common.admin import (
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    chip,
    link_to,
    mono,
    pretty_json,
    service_action,
)
from tasks import services
from tasks.models import Attempt, ConcurrencyLimit, OrphanResult, TaskClass, TickLease


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
