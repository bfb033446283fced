"""Warehouses and picks for tests."""

from typing import Any

from ecommerce.warehouses.models import PickRequest, Warehouse
from ecommerce.warehouses.services import pick_request, warehouse_create


def make_warehouse(code: str = "MAIN", *, automation: str = "auto", **more: Any) -> Warehouse:
    """The warehouse of that code, made once."""
    known = Warehouse.objects.filter(code=code).first()
    fields = {"name": f"Warehouse {code}", "automation": automation, **more}
    return known or warehouse_create(code=code, **fields, actor="test")


def make_pick(subject: str = "orders.fulfillment:9", **more: Any) -> PickRequest:
    """A request for four of one SKU and two of another."""
    fields = {"order_number": "ORD-000007", "lines": [("85123A", 4), ("71053", 2)], **more}
    warehouse = fields.pop("warehouse", None) or make_warehouse()
    return pick_request(subject=subject, warehouse=warehouse, **fields, actor="test")
