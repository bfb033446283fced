"""The shapes in which stock is sent and shown."""

from typing import Any

from rest_framework import serializers

from ecommerce.inventory.models import StockLevel, StockMovement
from ecommerce.inventory.stock import inventory_row
from platform_site.common.api import Id, Input
from platform_site.common.json import Number

MOST = 2**31 - 1


class FilterInput(Input):
    product_id = Id(required=False)
    warehouse_id = Id(required=False)
    low_stock = serializers.BooleanField(required=False)
    out_of_stock = serializers.BooleanField(required=False)


class CountInput(Input):
    aliases = {"productId": "product_id", "warehouseId": "warehouse_id", "variantId": "variant_id"}

    product_id = Id()
    variant_id = Id(required=False)
    warehouse_id = Id()
    quantity = serializers.IntegerField(min_value=0, max_value=MOST)


class CountsInput(Input):
    updates = serializers.ListField(child=CountInput(), min_length=1, max_length=500)


class AdjustInput(Input):
    """Either a product in a warehouse, or the level's id."""

    aliases = {
        "productId": "product_id",
        "warehouseId": "warehouse_id",
        "variantId": "variant_id",
        "inventoryId": "inventory_id",
        "adjustment": "quantity_change",
    }

    inventory_id = Id(required=False)
    product_id = Id(required=False)
    variant_id = Id(required=False)
    warehouse_id = Id(required=False)
    quantity_change = serializers.IntegerField(min_value=-MOST, max_value=MOST)
    reason = serializers.CharField(max_length=500)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("product_id", "warehouse_id"):
            if "inventory_id" not in fields and name not in fields:
                raise serializers.ValidationError({name: "This field is required."})
        return fields


class TransferInput(Input):
    aliases = {
        "productId": "product_id",
        "variantId": "variant_id",
        "fromWarehouseId": "from_warehouse_id",
        "toWarehouseId": "to_warehouse_id",
    }

    product_id = Id()
    variant_id = Id(required=False)
    from_warehouse_id = Id()
    to_warehouse_id = Id()
    quantity = serializers.IntegerField(min_value=1, max_value=MOST)
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class LowStockInput(Input):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=20)
    threshold = serializers.IntegerField(min_value=0, max_value=MOST, required=False)


class ExportInput(Input):
    ids = serializers.ListField(child=Id(), required=False, max_length=10_000)


class LevelSerializer(serializers.ModelSerializer[StockLevel]):
    """Inventory of the Commerce API, with its product and warehouse."""

    class Meta:
        model = StockLevel
        fields = ("id",)

    def to_representation(self, level: StockLevel) -> dict[str, Any]:
        variant = level.variant
        return {
            **inventory_row(level),
            "product": {
                "id": variant.product_id,
                "name": variant.title,
                "sku": variant.sku,
                "price": Number(variant.price),
            },
            "warehouse": {
                "id": level.warehouse_id,
                "name": level.warehouse.name,
                "code": level.warehouse.code,
            },
            "is_low_stock": level.is_below_reorder_point,
            "is_out_of_stock": level.available <= 0,
        }


class MovementSerializer(serializers.ModelSerializer[StockMovement]):
    product_id = serializers.IntegerField(source="level.variant.product_id")
    sku = serializers.CharField(source="level.variant.sku")
    warehouse_id = serializers.IntegerField(source="level.warehouse_id")
    movement_type = serializers.CharField(source="kind")
    inventory_id = serializers.IntegerField(source="level_id")

    class Meta:
        model = StockMovement
        fields = (
            "id",
            "inventory_id",
            "product_id",
            "sku",
            "warehouse_id",
            "movement_type",
            "quantity",
            "reserved_change",
            "balance_after",
            "reserved_after",
            "reason",
            "subject",
            "source",
            "actor",
            "created_at",
        )
