"""Stock levels as a CSV file."""

import csv
import io

from django.db.models import QuerySet

from ecommerce.inventory.models import StockLevel

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
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def levels_as_csv(rows: QuerySet[StockLevel]) -> str:
    """One line for each level."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for level in rows.iterator(chunk_size=500):
        writer.writerow(
            [
                level.pk,
                unarmed(level.variant.sku),
                unarmed(level.variant.title),
                unarmed(level.warehouse.name),
                level.on_hand,
                level.reserved,
                level.available,
                level.reorder_point,
            ]
        )
    return file.getvalue()


def unarmed(text: str) -> str:
    """Text that a spreadsheet shows and does not calculate (CWE-1236)."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
