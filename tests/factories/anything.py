"""A row of any model, for tests that walk over all of them."""

import itertools
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

_numbers = itertools.count(1)

_VALUES: list[tuple[type[models.Field], Any]] = [
    (models.BooleanField, False),
    (models.JSONField, dict),
    (models.EmailField, lambda: f"person{next(_numbers)}@example.org"),
    (models.URLField, "https://example.org/"),
    (models.DateTimeField, timezone.now),
    (models.DateField, lambda: timezone.now().date()),
    (models.DecimalField, Decimal("0.5")),
    (models.FloatField, 1.0),
    (models.IntegerField, 1),
]


def make_anything(model: type[models.Model], **given: Any) -> Any:
    """A row with a value in every field without a default; the rows that it needs come with it."""
    values = {
        field.name: _value(field)
        for field in model._meta.concrete_fields
        if field.name not in given and _must_be_given(field)
    }
    return model._base_manager.create(**values, **given)


def _must_be_given(field: models.Field) -> bool:
    if (
        isinstance(field, models.AutoField)
        or field.has_default()
        or getattr(field, "auto_now_add", 0)
    ):
        return False
    return not getattr(field, "auto_now", False) and (not field.null or field.unique)


def _value(field: models.Field) -> Any:
    if field.is_relation:
        return None if field.null else make_anything(field.related_model)
    if field.choices:
        return next(value for value, _ in field.flatchoices)
    if field.unique and isinstance(field, models.IntegerField):
        return next(_numbers)
    for kind, value in _VALUES:
        if isinstance(field, kind):
            return value() if callable(value) else value
    return f"w{next(_numbers)}"[: field.max_length]
