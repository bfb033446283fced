"""Warehouses in the Commerce API."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from ecommerce.warehouses import ports
from ecommerce.warehouses.models import Warehouse
from platform_site.common.api import ReadViewSet, commerce


class WarehouseSerializer(serializers.ModelSerializer[Warehouse]):
    """A warehouse; its utilization is null until somebody measures it."""

    class Meta:
        model = Warehouse
        fields = (
            "id",
            "name",
            "code",
            "address",
            "city",
            "state",
            "country",
            "postal_code",
            "phone",
            "email",
            "manager_name",
            "capacity",
            "automation",
            "is_active",
            "metadata",
            "created_at",
            "updated_at",
        )

    def to_representation(self, warehouse: Warehouse) -> dict[str, Any]:
        row = super().to_representation(warehouse)
        items = self.context.get("items", {})
        return {**row, "current_utilization": None, "inventory_items": items.get(warehouse.pk, 0)}


class WarehouseViewSet(ReadViewSet):
    """`/api/warehouses`"""

    plural = "warehouses"
    queryset = Warehouse.objects.all()
    serializer_class = WarehouseSerializer
    not_found = "Warehouse not found"
    access = {"list": "warehouses:view", "retrieve": "warehouses:view"}

    def find(self, key: str) -> Any:
        return super().find(key) or self.get_queryset().filter(code__iexact=key).first()

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.request.query_params.get("is_active", "")
        return rows.filter(is_active=wanted == "true") if wanted else rows

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if kwargs.get("many") else args[:1]
        context = {
            **self.get_serializer_context(),
            "items": ports.inventory_items([row.pk for row in rows]),
        }
        return WarehouseSerializer(*args, **kwargs, context=context)


commerce.register("warehouses", WarehouseViewSet)
