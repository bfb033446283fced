"""Serializers: input that is checked for shape, output that carries amounts twice."""

from decimal import Decimal
from typing import Any

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


class Amount(serializers.DecimalField):
    """Money: in as a number or text with at most two places, out as a JSON number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return None if value is None else json.Number(Decimal(value).quantize(Decimal("0.01")))


class CommerceSerializer(serializers.ModelSerializer[Any]):
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
