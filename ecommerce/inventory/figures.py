"""Figures about stock, counted by the database."""

from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.utils import timezone

from ecommerce.inventory.models import StockLevel
from platform_site.common.json import Number, instant
from platform_site.common.money import ZERO, rounded

IS_LOW = Q(reorder_point__gt=0, on_hand__lte=F("reserved") + F("reorder_point"))
IS_OUT = Q(on_hand__lte=F("reserved"))


def with_free(rows: QuerySet[StockLevel]) -> QuerySet[Any]:
    """What may be sold of each level as `free`, for filters in SQL."""
    return rows.alias(free=F("on_hand") - F("reserved"))


def stock_stats() -> dict[str, Any]:
    """All levels in one line; the value is at cost, or at price where no cost is known."""
    sums = StockLevel.objects.order_by().aggregate(
        items=Count("pk"),
        quantity=Sum("on_hand"),
        promised=Sum("reserved"),
        low=Count("pk", filter=IS_LOW),
        out=Count("pk", filter=IS_OUT),
        at_cost=_worth("variant__cost", Q(variant__cost__isnull=False)),
        at_price=_worth("variant__price", Q(variant__cost__isnull=True)),
    )
    value = rounded((sums["at_cost"] or ZERO) + (sums["at_price"] or ZERO))
    quantity, promised = sums["quantity"] or 0, sums["promised"] or 0
    return {
        "total_items": sums["items"],
        "total_quantity": quantity,
        "total_reserved": promised,
        "total_available": quantity - promised,
        "low_stock_count": sums["low"],
        "out_of_stock_count": sums["out"],
        "inventory_value": Number(value),
        "amounts": {"inventory_value": str(value)},
        "as_of": instant(timezone.now()),
    }


def _worth(price: str, rows: Q) -> Sum:
    money = DecimalField(max_digits=20, decimal_places=2)
    return Sum(ExpressionWrapper(F("on_hand") * F(price), output_field=money), filter=rows)
