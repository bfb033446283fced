"""Agents in the console: what they are, how they feel, and what operators decide about them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    pretty_json,
    service_action,
    status_chip,
    timeline,
    words,
)
from platform_site.common.admin.columns import EMPTY, anchor, code
from platform_site.common.models import ApiKey
from registry import services
from registry.models import Agent
from registry.status import REPORTABLE, with_status


class StatusFilter(admin.SimpleListFilter):
    """By the computed status: what an agent is now, not what it last said."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in REPORTABLE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(computed_status=self.value()) if self.value() else queryset


class GoneFilter(admin.SimpleListFilter):
    """Deregistered agents keep their row; usually nobody wants to see them."""

    title = "registered"
    parameter_name = "gone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "deregistered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Agent]) -> QuerySet[Agent]:
        return queryset.filter(deregistered_at__isnull=self.value() != "1")


def _overlay(word: str, label: str, *, icon: str, effect: str, danger: bool = False) -> Any:
    return service_action(
        services.agent_overlay_set,
        label,
        name=f"agent_{word or 'lift'}",
        given={"overlay": word},
        form=ReasonDialog,
        when=lambda agent: agent.overlay != word and agent.deregistered_at is None,
        icon=icon,
        effect=effect,
        danger=danger,
    )


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    """Own agents and those of others, side by side."""

    view_permission = "agent:view"
    icon, rank = "smart_toy", 10
    list_display = ("name", "id_column", "status", "overlay_chip", "load", "seen", "agent_type")
    list_filter = (StatusFilter, "overlay", "agent_type", GoneFilter)
    list_select_related = ("presence",)
    search_fields = ("agent_id", "name")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "id_column"),
                    ("status", "overlay_chip"),
                    ("load", "seen"),
                    "tasks",
                )
            },
        ),
        (
            "What it declares",
            {
                "fields": (
                    ("agent_type", "delivery"),
                    words("capabilities"),
                    words("services"),
                    words("tags"),
                    ("max_concurrency", "ttl_s", "weight"),
                    "accept_any",
                    pretty_json("endpoints"),
                    pretty_json("resources"),
                    pretty_json("metadata"),
                )
            },
        ),
        (
            "Since when",
            {
                "fields": (
                    ("registered_at", "deregistered_at"),
                    ("incarnation", "instance_id"),
                    "keys",
                    ("overlay_reason", "overlay_set_by"),
                    ("overlay_set_at", "overlay_until", "drained_at"),
                )
            },
        ),
    )
    actions = [
        _overlay(
            "draining",
            "Drain",
            icon="hourglass_bottom",
            effect="It finishes what it has and gets nothing new.",
        ),
        _overlay(
            "cordoned", "Cordon", icon="do_not_disturb_on", effect="It gets nothing new and stays."
        ),
        _overlay(
            "disabled",
            "Disable",
            icon="power_settings_new",
            effect="Its leases end at once; the tasks go back to the queue, nothing spent.",
            danger=True,
        ),
        _overlay(
            "", "Lift", icon="play_circle", effect="It takes work again as it reports itself."
        ),
        service_action(
            services.agent_deregister,
            "Deregister",
            danger=True,
            icon="logout",
            when=lambda agent: agent.deregistered_at is None,
            effect="Its tasks return to the queue. It may register again at any time.",
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_status(super().get_queryset(request)).select_related("presence")

    @admin.display(description="agent id", ordering="agent_id")
    def id_column(self, agent: Agent) -> SafeString | str:
        return code(agent.agent_id)

    @admin.display(description="status")
    def status(self, agent: Any) -> SafeString | str:
        return status_chip("deregistered" if agent.deregistered_at else agent.computed_status)

    @admin.display(description="decided by operators", ordering="overlay")
    def overlay_chip(self, agent: Agent) -> SafeString | str:
        return status_chip(agent.overlay)

    @admin.display(description="load")
    def load(self, agent: Any) -> SafeString:
        text = f"{agent.in_flight} / {agent.max_concurrency}"
        return format_html('<span class="fd-number" title="live leases / slots">{}</span>', text)

    @admin.display(description="last heard", ordering="presence__last_seen_at")
    def seen(self, agent: Agent) -> Any:
        return ago("presence__last_seen_at")(agent)

    @admin.display(description="own keys")
    def keys(self, agent: Agent) -> SafeString | str:
        count = ApiKey.objects.filter(agent_id=agent.agent_id, revoked_at=None).count()
        if not count:
            return "no own key: who may act for one keyless agent may act for all of them"
        address = reverse("admin:common_apikey_changelist")
        return anchor(f"{address}?{urlencode({'q': agent.agent_id})}", f"{count} in force")

    def panels(self, request: HttpRequest, row: Agent) -> list[Panel]:
        return [timeline(history(row), note="What happened to this agent, newest first.")]

    @admin.display(description="tasks")
    def tasks(self, agent: Agent) -> SafeString | str:
        try:
            address = reverse("admin:tasks_task_changelist")
        except NoReverseMatch:
            return EMPTY
        return anchor(f"{address}?{urlencode({'agent': agent.agent_id})}", "what is meant for it")
