"""Stock levels as a CSV file."""

from typing import Any

from django.db.models import QuerySet

from ecommerce.inventory.models import StockLevel
from platform_site.common import sheets

COLUMNS = (
    "id",
    "sku",
    "product",
    "warehouse",
    "quantity",
    "reserved",
    "available",
    "reorder_point",
)


def levels_as_csv(levels: QuerySet[StockLevel]) -> str:
    """One line for each level."""
    found = levels.iterator(chunk_size=500)
    return sheets.as_csv(COLUMNS, (_values(level) for level in found))


def _values(level: StockLevel) -> list[Any]:
    return [
        level.pk,
        level.variant.sku,
        level.variant.title,
        level.warehouse.name,
        level.on_hand,
        level.reserved,
        level.available,
        level.reorder_point,
    ]
