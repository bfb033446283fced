"""Filters of orders; the tiles of the control room count with the same conditions."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ecommerce.orders.models import (
    OrderHold,
)


class ChoiceFilter(admin.SimpleListFilter):
    """A filter whose words stand for conditions; the tiles of the control room use the same."""

    conditions: dict[str, tuple[str, Callable[[], Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.conditions.get(self.value() or "")
        return queryset.filter(chosen[1]()) if chosen else queryset


def is_held() -> Q:
    """Orders with an active hold."""
    return Q(Exists(OrderHold.objects.filter(order=OuterRef("pk"), released_at=None)))


def came_today() -> Q:
    """Orders that reached us today, whenever they were placed elsewhere."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return Q(created_at__gte=start)


class HeldFilter(ChoiceFilter):
    title = "holds"
    parameter_name = "held"
    conditions = {"yes": ("held", is_held), "no": ("not held", lambda: ~is_held())}


class CameFilter(ChoiceFilter):
    title = "came"
    parameter_name = "came"
    conditions = {"today": ("today", came_today)}
