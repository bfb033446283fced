"""Where each field of the wizard is kept: on the product, its variant, or as an attribute."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from ecommerce.products.models import BundleLine, Product
from platform_site.common.errors import Invalid

ON_PRODUCT = {
    "name": "name",
    "description": "description",
    "short_description": "short_description",
    "category": "category",
    "product_type": "product_type",
    "brand": "brand",
    "tax_class": "tax_class",
    "currency": "currency",
    "requires_shipping": "requires_shipping",
    "is_featured": "is_featured",
    "images": "images",
    "tags": "tags",
    "metadata": "metadata",
    "scheduled_publish_at": "publish_at",
}
ON_VARIANT = ("sku", "price", "cost", "compare_at_price", "weight_g")
APART = ("bundle_items", "warehouse_inventory")
GRAMS = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "lb": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}


@dataclass
class Fields:
    """The wizard's fields sorted by where they are kept."""

    product: dict[str, Any] = field(default_factory=dict)
    variant: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    bundle_items: list[dict[str, Any]] | None = None
    warehouse_inventory: list[dict[str, Any]] | None = None


def sorted_fields(values: dict[str, Any]) -> Fields:
    """Each value to its place; a weight with its unit also becomes grams on the variant."""
    fields = Fields()
    for name, value in values.items():
        if name in ON_PRODUCT:
            fields.product[ON_PRODUCT[name]] = value
        elif name in ON_VARIANT:
            fields.variant[name] = value
        elif name in APART:
            setattr(fields, name, value)
        else:
            fields.attributes[name] = value
    if (weight := values.get("weight")) is not None:
        grams = Decimal(str(weight)) * GRAMS[values.get("weight_unit") or "kg"]
        fields.variant["weight_g"] = int(grams.to_integral_value())
    return fields


def bundle_save(product: Product, items: Iterable[dict[str, Any]]) -> None:
    """Replace the lines of a bundle. Raises Invalid for unknown components and itself."""
    units: dict[int, int] = {}
    for item in items:
        units[item["product_id"]] = units.get(item["product_id"], 0) + item["quantity"]
    known = Product.objects.in_bulk(list(units))
    for product_id in units:
        if product_id not in known or product_id == product.pk:
            raise Invalid(f"Product {product_id} cannot be in this bundle.", field="bundle_items")
    with transaction.atomic():
        product.bundle_lines.all().delete()
        BundleLine.objects.bulk_create(
            BundleLine(bundle=product, component=known[product_id], quantity=quantity)
            for product_id, quantity in units.items()
        )
