"""What other domains may ask about stock."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Expression, F, IntegerField, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from ecommerce.inventory.models import StockLevel
from platform_site.common.json import instant


def inventory_row(level: StockLevel) -> dict[str, Any]:
    """A level in the words of the Commerce API."""
    return {
        "id": level.pk,
        "product_id": level.variant.product_id,
        "variant_id": level.variant_id,
        "warehouse_id": level.warehouse_id,
        "quantity": level.on_hand,
        "reserved_quantity": level.reserved,
        "available_quantity": level.available,
        "incoming": level.incoming,
        "safety_stock": level.safety_stock,
        "reorder_point": level.reorder_point,
        "reorder_quantity": level.reorder_quantity,
        "last_restock_date": instant(level.last_restock_at),
        "last_count_date": instant(level.last_count_at),
        "created_at": instant(level.created_at),
        "updated_at": instant(level.updated_at),
    }


def stock_of(product_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The levels of each product, in one query."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = StockLevel.objects.filter(variant__product__in=list(product_ids))
    for level in rows.select_related("variant").order_by("pk"):
        found[level.variant.product_id].append(inventory_row(level))
    return dict(found)


def available_units(variant: str) -> Expression:
    """SQL for the sellable units of the variant that the outer query names."""
    sums = (
        StockLevel.objects.filter(variant=OuterRef(variant), warehouse__is_active=True)
        .order_by()
        .values("variant")
        .annotate(units=Sum(F("on_hand") - F("reserved")))
        .values("units")
    )
    return Coalesce(Subquery(sums, output_field=IntegerField()), Value(0))


def inventory_items(warehouse_ids: Iterable[int]) -> dict[int, int]:
    """How many SKUs have a level in each warehouse."""
    rows = StockLevel.objects.filter(warehouse__in=list(warehouse_ids)).order_by()
    return dict(rows.values_list("warehouse").annotate(Count("pk")))
