"""What the payments routes want to know about orders."""

from collections.abc import Iterable
from typing import Any

from ecommerce.orders import services
from ecommerce.orders.api.rows import find
from ecommerce.orders.models import Order
from ecommerce.payments.models import Payment
from platform_site.common import json
from platform_site.common.errors import Invalid


def order_rows(order_numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The orders of payments, as payments show them."""
    rows = Order.objects.filter(order_number__in=list(order_numbers))
    return {
        number: {"id": pk, "order_number": number, "total": json.Number(total)}
        for pk, number, total in rows.values_list("pk", "order_number", "total")
    }


def order_number_of(key: str) -> str:
    """The number of the order that an id or a number names; empty where there is none."""
    order = find(Order.objects.all(), str(key))
    return order.order_number if order else ""


def order_pay(key: str, *, actor: str, **fields: Any) -> Payment:
    """Pay the order that an id or a number names. Raises Invalid without one."""
    order = find(Order.objects.all(), str(key))
    if order is None:
        raise Invalid(f"There is no order {key}.", field="order_id")
    return services.order_pay(order, **fields, actor=actor)
