"""Filters of tasks; the tiles of the control room link to them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from platform_site.common.admin import ChoiceFilter
from registry.models import Agent
from tasks.models import Task


class QueueFilter(ChoiceFilter):
    """Where tasks pile up; the tiles of the control room link here."""

    title = "queue"
    parameter_name = "queue"
    conditions = {
        "waiting": ("waits for an agent or a time", Q(status__in=Task.QUEUED)),
        "leased": ("an agent works on it", Q(status__in=Task.LEASED)),
        "dead": ("dead letters", Q(dead_lettered_at__isnull=False)),
        "open": ("not over yet", Q(status__in=Task.OPEN)),
    }


class AgentFilter(admin.SimpleListFilter):
    """By the agent that a task is for."""

    title = "agent"
    parameter_name = "agent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Agent.objects.filter(deregistered_at=None).order_by("name")
        return list(rows.values_list("agent_id", "name")[:100])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(agent_id=self.value()) if self.value() else queryset
