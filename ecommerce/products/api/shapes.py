"""Products and categories as clients read them."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from ecommerce.products.api.inputs import KEPT_AS_GIVEN, PREFIXES
from ecommerce.products.models import Category, Merchant, Product, Variant
from ecommerce.products.services import completeness
from platform_site.common import json

AMOUNTS = ("price", "cost", "compare_at_price")


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A node of the tree."""

    class Meta:
        model = Category
        fields = (
            "id",
            "name",
            "slug",
            "description",
            "parent_id",
            "image_url",
            "is_active",
            "sort_order",
            "created_at",
            "updated_at",
        )


class MerchantSerializer(serializers.ModelSerializer[Merchant]):
    """Who sells."""

    class Meta:
        model = Merchant
        fields = (
            "id",
            "business_name",
            "business_type",
            "tax_id",
            "website",
            "description",
            "logo_url",
            "commission_rate",
        )


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product in lists; SKU, price and weight are those of its first variant.

    The context carries `stock` (the levels of each product) and `sees_cost`.
    """

    class Meta:
        model = Product
        fields = (
            "id",
            "merchant_id",
            "category_id",
            "name",
            "slug",
            "description",
            "short_description",
            "product_type",
            "brand",
            "tax_class",
            "currency",
            "requires_shipping",
            "images",
            "is_featured",
            "tags",
            "metadata",
            "sales_count",
            "version",
            "created_at",
            "updated_at",
        )

    def to_representation(self, product: Product) -> dict[str, Any]:
        row = super().to_representation(product)
        levels = self.context["stock"].get(product.pk, [])
        available = sum(level["available_quantity"] for level in levels)
        category = product.category
        return {
            **row,
            **_wizard(product),
            **self._variants(product),
            "status": _word(product, available),
            "state": product.status,
            "scheduled_publish_at": product.publish_at,
            "completeness": completeness(product),
            "rating": None,  # nobody has rated yet: reviews are another agent's
            "review_count": 0,
            "view_count": None,
            "image_url": product.images[0] if product.images else None,
            "category_name": category.name if category else None,
            "inventory_count": available,
            "inventory": self.inventory(levels, available),
        }

    def inventory(self, levels: list[dict[str, Any]], available: int) -> Any:
        """The stock of a product, summed over its warehouses."""
        return {
            "total_quantity": sum(level["quantity"] for level in levels),
            "available_quantity": available,
            "warehouses": len({level["warehouse_id"] for level in levels}),
        }

    def _variants(self, product: Product) -> dict[str, Any]:
        variants = [self._variant(variant) for variant in product.variants.all()]
        first = variants[0] if variants else {}
        shown = ("sku", *AMOUNTS, "weight_g", "barcode", "amounts")
        return {**{key: first[key] for key in shown if key in first}, "variants": variants}

    def _variant(self, variant: Variant) -> dict[str, Any]:
        names = [name for name in AMOUNTS if name != "cost" or self.context["sees_cost"]]
        values = {name: getattr(variant, name) for name in names}
        return {
            "id": variant.pk,
            "sku": variant.sku,
            "name": variant.title,
            "barcode": variant.barcode,
            "options": variant.options,
            "weight_g": variant.weight_g,
            **{k: None if v is None else json.Number(v) for k, v in values.items()},
            "amounts": {k: None if v is None else str(v) for k, v in values.items()},
        }


class ProductDetailSerializer(ProductSerializer):
    """A product with its stock by warehouse, its category, its merchant and its bundle."""

    def to_representation(self, product: Product) -> dict[str, Any]:
        row = super().to_representation(product)
        category = product.category
        return {
            **row,
            "category": CategorySerializer(category).data if category else None,
            "merchant": MerchantSerializer(product.merchant).data,
            "bundle_items": [
                {"product_id": line.component_id, "quantity": line.quantity}
                for line in product.bundle_lines.all()
            ],
            "warehouse_inventory": [
                {
                    "warehouse_id": level["warehouse_id"],
                    "quantity": level["quantity"],
                    "low_stock_threshold": level["reorder_point"],
                }
                for level in row["inventory"]
            ],
        }

    def inventory(self, levels: list[dict[str, Any]], available: int) -> Any:
        return levels


def _word(product: Product, available: int) -> str:
    """The client's word: an active product without stock is `out_of_stock`."""
    counted = any(variant.track_inventory for variant in product.variants.all())
    if product.status == Product.Status.ACTIVE and counted and available <= 0:
        return "out_of_stock"
    return product.status


def _wizard(product: Product) -> dict[str, Any]:
    """The fields that are kept as the wizard gave them; what it did not give is null."""
    given = product.attributes
    kept: dict[str, Any] = {name: given.get(name) for name in KEPT_AS_GIVEN}
    kept |= {name: value for name, value in given.items() if name.startswith(PREFIXES)}
    variant = product.first_variant
    grams = variant.weight_g if variant else None
    kept["weight"] = given.get("weight")
    if kept["weight"] is None and grams is not None:
        kept["weight"] = json.Number(Decimal(grams) / 1000)
        kept["weight_unit"] = "kg"
    return kept
