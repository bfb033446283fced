"""Serializers: input that is checked for shape, output that carries amounts twice."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import models
from rest_framework import serializers

from platform_site.common import json

LARGEST_ID = 2**63 - 1


def number_in(text: str) -> int | None:
    """The id or version that a text is; None for anything else and for more than 18 digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


class Id(serializers.IntegerField):
    """A primary key; one that no database could hold is 422."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})


class Input(serializers.Serializer[Any]):
    """The shape of a request body. Unknown keys are ignored, nothing else is guessed.

    `aliases` maps other spellings that clients use (camelCase) to our field names.
    """

    aliases: dict[str, str] = {}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and self.aliases:
            renamed = {self.aliases.get(key, key): value for key, value in data.items()}
            data = {**renamed, **{key: value for key, value in data.items() if key in self.fields}}
        return super().to_internal_value(data)


CENT = Decimal("0.01")


class Amount(serializers.DecimalField):
    """Money: in as a number or text with at most two places, out as a JSON number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return None if value is None else json.Number(Decimal(value).quantize(CENT))


Reader = Callable[[Any, Any], Any]  # of a serializer and a row, the value of one key
# Columns whose value is its own representation.
PLAIN = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.BooleanField,
    models.ForeignKey,
    models.JSONField,
)


class RowSerializer(serializers.ModelSerializer[Any]):
    """A model serializer whose fields are worked out once for each class, not for each request.

    Columns are read straight from the row; everything else goes through its field as always.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: read(self, instance) for name, read in _readers(type(self))}


@cache
def _readers(shape: type[RowSerializer]) -> tuple[tuple[str, Reader], ...]:
    columns = {column.attname: column for column in shape.Meta.model._meta.concrete_fields}  # type: ignore[attr-defined]  # every Meta names its model
    return tuple(
        (str(field.field_name), _reader(field, columns.get(str(field.source))))
        for field in shape()._readable_fields
    )


def _reader(field: Any, column: Any) -> Reader:
    read = attrgetter(column.attname) if column is not None else None
    if isinstance(field, serializers.SerializerMethodField):
        method = str(field.method_name)
        return lambda serializer, row: getattr(serializer, method)(row)
    if read and isinstance(field, Amount):
        return lambda _, row: field.to_representation(read(row))
    if read and isinstance(column, models.DateTimeField):
        return lambda _, row: json.instant(read(row))
    if read and isinstance(column, PLAIN):
        return lambda _, row: read(row)
    return lambda _, row: _by_field(field, row)


def _by_field(field: Any, row: Any) -> Any:
    value = field.get_attribute(row)
    return None if value is None else field.to_representation(value)


class CommerceSerializer(RowSerializer):
    """A row of the Commerce API: `Meta.amounts` are JSON numbers, and text in `amounts`."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if field_name in getattr(self.Meta, "amounts", ()):
            return Amount, {"read_only": True}
        return super().build_standard_field(field_name, model_field)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        row: dict[str, Any] = super().to_representation(instance)
        names = getattr(self.Meta, "amounts", ())
        if names:
            row["amounts"] = {
                name: None if row[name] is None else str(row[name]) for name in names if name in row
            }
        return row
