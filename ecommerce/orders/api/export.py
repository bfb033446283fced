"""Orders as a spreadsheet."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from ecommerce.orders.api.serializers import payment_word, status_word
from ecommerce.orders.models import Order
from platform_site.common import json, sheets

COLUMNS = (
    "order_number",
    "placed_at",
    "status",
    "payment_status",
    "fulfillment_status",
    "customer",
    "email",
    "subtotal",
    "discount",
    "shipping_cost",
    "tax",
    "total",
    "currency",
    "external_ref",
)


def named(keys: list[str]) -> Q:
    """Orders by ids and numbers, mixed."""
    ids = [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) <= 18]
    return Q(pk__in=ids) | Q(order_number__in=[key.upper() for key in keys])


def orders_as_csv(orders: QuerySet[Order], *, is_personal: bool) -> str:
    """One line for each order, amounts with a decimal point, times in UTC."""
    found = orders.iterator(chunk_size=500)
    return sheets.as_csv(COLUMNS, (_values(order, is_personal) for order in found))


def _values(order: Order, is_personal: bool) -> list[Any]:
    name = order.customer.name if order.customer else order.shipping_address.get("name", "")
    return [
        order.order_number,
        json.instant(order.placed_at),
        status_word(order),
        payment_word(order),
        order.fulfillment_status,
        name,
        order.email if is_personal else "",
        order.subtotal,
        order.discount,
        order.shipping_cost,
        order.tax,
        order.total,
        order.currency,
        order.external_ref,
    ]


def download(text: str) -> HttpResponse:
    """The sheet as a file."""
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="orders.csv"'},
    )
