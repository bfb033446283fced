"""From what clients name to variants: one product with one variant is that variant."""

from typing import Any

from django.db.models import Q

from ecommerce.orders.services.quoting import Wanted
from ecommerce.products.models import Variant
from platform_site.common.errors import Invalid


def wanted_items(items: list[dict[str, Any]]) -> list[Wanted]:
    """The items of a request with their variants. Raises Invalid naming the item."""
    by_key = _variants(items)
    return [
        Wanted(_chosen(number, item, by_key), item["quantity"], item.get("unit_price"))
        for number, item in enumerate(items)
    ]


def _variants(items: list[dict[str, Any]]) -> dict[tuple[str, str], list[Variant]]:
    named = {(name, item[name]) for item in items for name in KEYS if name in item}
    numbers = {name: [int(key) for n, key in named if n == name and _is_id(key)] for name in KEYS}
    skus = [key for _, key in named if not _is_id(key)] + [key for n, key in named if n == "sku"]
    rows = Variant.objects.select_related("product__merchant").filter(
        Q(pk__in=numbers["variant_id"]) | Q(product__in=numbers["product_id"]) | Q(sku__in=skus)
    )
    found: dict[tuple[str, str], list[Variant]] = {}
    for variant in rows.order_by("pk"):
        for key in (
            ("variant_id", str(variant.pk)),
            ("product_id", str(variant.product_id)),
            *((name, variant.sku) for name in KEYS),
        ):
            found.setdefault(key, []).append(variant)
    return found


KEYS = ("variant_id", "sku", "product_id")


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 18


def _chosen(
    number: int, item: dict[str, Any], found: dict[tuple[str, str], list[Variant]]
) -> Variant:
    """`variant_id` and `sku` are exact; a product alone must have one variant."""
    name = next(name for name in KEYS if name in item)
    variants = found.get((name, item[name]), [])
    field = f"items[{number}].{name}"
    if not variants:
        raise Invalid(f"There is no {name.removesuffix('_id')} {item[name]}.", field=field)
    exact = [variant for variant in variants if variant.sku == item[name]]
    if len(variants) > 1 and not exact:
        raise Invalid(
            f"Product {item[name]} has {len(variants)} variants; name one by variant_id.",
            field=field,
        )
    return (exact or variants)[0]
