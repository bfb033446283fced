"""Filters of lists whose words stand for conditions over rows."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest


class ChoiceFilter(admin.SimpleListFilter):
    """Each word with its label and its condition; one that depends on the time is a function."""

    conditions: dict[str, tuple[str, Q | Callable[[], Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.conditions:
            return queryset
        _, condition = self.conditions[str(self.value())]
        return queryset.filter(condition() if callable(condition) else condition)
