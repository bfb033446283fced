"""Goods, shelves and units on them."""

from decimal import Decimal
from itertools import count

from ecommerce.inventory.models import StockLevel
from ecommerce.inventory.services import level_change, stock_receive
from ecommerce.products.models import Merchant, Product, Variant
from ecommerce.warehouses.models import Warehouse

_numbers = count(1)


def make_warehouse(code="main", **fields):
    """The warehouse of that code."""
    return Warehouse.objects.get_or_create(code=code, defaults={"name": code.title(), **fields})[0]


def make_variant(*, sku="", name="Lantern", price="4.25", product=None):
    """Something that can lie on a shelf."""
    number = next(_numbers)
    if product is None:
        merchant, _ = Merchant.objects.get_or_create(code="us", defaults={"business_name": "Us"})
        product = Product.objects.create(
            merchant=merchant, name=name, slug=f"lantern-{number}", status="active"
        )
    return Variant.objects.create(product=product, sku=sku or f"SKU-{number}", price=Decimal(price))


def make_stock(*, quantity=10, warehouse=None, variant=None, reorder_point=0, **fields):
    """A level with so many units on it."""
    variant = variant or make_variant(**fields)
    warehouse = warehouse or make_warehouse()
    level, _ = StockLevel.objects.get_or_create(variant=variant, warehouse=warehouse)
    if quantity:
        level = stock_receive(
            variant=variant,
            warehouse=warehouse,
            quantity=quantity,
            source_key=f"test:{next(_numbers)}",
            actor="test",
        )
    if reorder_point:
        level = level_change(level, reorder_point=reorder_point, actor="test")
    return level
