"""A shop that is open: first-run rows, stocked products, customers with an address, orders."""

import itertools
from decimal import Decimal
from typing import Any

from ecommerce.customers.models import Customer
from ecommerce.customers.services import address_add, customer_create
from ecommerce.inventory.services import stock_receive
from ecommerce.orders.models import Order
from ecommerce.orders.services import order_place
from ecommerce.orders.services.quoting import Wanted
from ecommerce.products.models import Merchant, Variant
from ecommerce.products.services import product_create
from ecommerce.warehouses.models import Warehouse
from platform_site.first_run import first_run

_numbers = itertools.count(1)


def open_shop() -> None:
    """Everything that `manage.py first_run` makes."""
    first_run()


def make_goods(
    *,
    price: str = "10.00",
    stock: int = 100,
    sku: str = "",
    warehouse: Warehouse | None = None,
    **fields: Any,
) -> Variant:
    """An active product with one variant and so many units on the shelf."""
    sku = sku or f"SKU-{next(_numbers)}"
    product = product_create(
        merchant=Merchant.objects.first(),
        sku=sku,
        name=fields.pop("name", f"Lantern {sku}"),
        price=Decimal(price),
        weight_g=fields.pop("weight_g", 500),
        status=fields.pop("status", "active"),
        actor="test",
        **fields,
    )
    variant = Variant.objects.select_related("product").get(product=product)
    if stock:
        stock_receive(
            variant=variant,
            warehouse=warehouse or Warehouse.objects.get(code="MAIN"),
            quantity=stock,
            source_key=f"test:{sku}",
            actor="test",
        )
    return variant


def make_customer(*, email: str = "", country: str = "GB", **fields: Any) -> Customer:
    """A customer with one default address."""
    number = next(_numbers)
    customer = customer_create(
        email=email or f"grace{number}@example.org",
        first_name=fields.pop("first_name", "Grace"),
        last_name=fields.pop("last_name", f"Hopper {number}"),
        actor="test",
        **fields,
    )
    address_add(
        customer,
        kind="both",
        is_default=True,
        country=country,
        line1="1 Harbour Street",
        city="London",
        postal_code="EC1A 1BB",
        actor="test",
    )
    return customer


def make_order(
    *,
    quantity: int = 2,
    variant: Variant | None = None,
    customer: Customer | None = None,
    **fields: Any,
) -> Order:
    """An order that was just placed, to be paid by card unless said otherwise."""
    customer = customer or make_customer()
    return order_place(
        items=fields.pop("items", None) or [Wanted(variant or make_goods(), quantity)],
        customer=customer,
        shipping_address=fields.pop("shipping_address", customer.addresses.first()),
        payment_method=fields.pop("payment_method", "credit_card"),
        actor="test",
        **fields,
    )
