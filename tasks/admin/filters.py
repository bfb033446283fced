"""Filters of tasks; the tiles of the control room link to them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registry.models import Agent
from tasks.models import Task


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
