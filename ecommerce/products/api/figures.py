"""Statistics over the catalogue, computed in the database."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.utils import timezone

from ecommerce.products import ports
from ecommerce.products.models import Product, Variant
from platform_site.common import json
from platform_site.common.money import ZERO, rounded

Status = Product.Status


def product_figures(products: QuerySet[Product]) -> dict[str, Any]:
    """Products by state, and the sellable stock at today's prices."""
    counts = products.order_by().aggregate(
        total_products=Count("pk"),
        active_products=Count("pk", filter=Q(status=Status.ACTIVE)),
        inactive_products=Count("pk", filter=Q(status=Status.INACTIVE)),
        draft_products=Count("pk", filter=Q(status=Status.DRAFT)),
        archived_products=Count("pk", filter=Q(status=Status.ARCHIVED)),
    )
    variants = Variant.objects.filter(product__in=products.order_by().values("pk")).annotate(
        units=ports.available_units("pk")
    )
    sellable = variants.filter(Q(units__gt=0) | Q(track_inventory=False))
    in_stock = products.filter(status=Status.ACTIVE, pk__in=sellable.values("product"))
    values = _values(variants)
    currency = max(values, key=lambda code: values[code], default=None)
    total = values[currency] if currency else ZERO
    return {
        **counts,
        "out_of_stock": counts["active_products"] - in_stock.order_by().count(),
        "total_value": json.Number(total),
        "currency": currency,
        "amounts": {"total_value": str(total)},
        "values_by_currency": {code: str(value) for code, value in values.items()},
        "as_of": timezone.now(),
    }


def _values(variants: QuerySet[Variant]) -> dict[str, Decimal]:
    """What the sellable units are worth, by the currency of their prices."""
    worth = ExpressionWrapper(
        F("price") * F("units"), output_field=DecimalField(max_digits=20, decimal_places=2)
    )
    rows = variants.order_by().values("product__currency").annotate(value=Sum(worth))
    return {row["product__currency"]: rounded(Decimal(row["value"] or 0)) for row in rows}
