"""The catalogue for tests."""

from decimal import Decimal
from itertools import count
from typing import Any

from ecommerce.products.models import Merchant, Product
from ecommerce.products.services import merchant_create, product_create

_numbers = count(1)


def make_merchant(code: str = "main", **more: Any) -> Merchant:
    """The merchant of that code, made once."""
    known = Merchant.objects.filter(code=code).first()
    fields = {"business_name": "Gifts Ltd", **more}
    return known or merchant_create(code=code, **fields, actor="test")


def make_product(sku: str = "", *, price: Any = "2.55", **wizard: Any) -> Product:
    """An active product with one variant."""
    sku = sku or f"SKU-{next(_numbers)}"
    fields = {"name": f"Product {sku}", "status": Product.Status.ACTIVE, **wizard}
    merchant = fields.pop("merchant", None) or make_merchant()
    return product_create(
        merchant=merchant, sku=sku, price=Decimal(str(price)), **fields, actor="test"
    )
