"""The invoice of an order: what the document keeps, whatever changes later."""

from typing import Any

from ecommerce.orders.models import OrderItem
from ecommerce.orders.services.situation import Situation


def invoice_snapshot(now: Situation) -> dict[str, Any]:
    """Everything that the paper shows, as plain JSON with exact amounts."""
    order, merchant = now.order, now.order.merchant
    return {
        "order_number": order.order_number,
        "order_date": order.placed_at.date().isoformat(),
        "seller": {
            **merchant.address,
            "name": merchant.business_name,
            "email": merchant.email,
            "tax_id": merchant.tax_id,
        },
        "bill_to": order.billing_address or order.shipping_address,
        "ship_to": order.shipping_address,
        "currency": order.currency,
        "lines": [_line(item) for item in now.items if item.quantity > item.cancelled],
        "subtotal": str(order.subtotal),
        "discount": str(order.discount),
        "shipping_cost": str(order.shipping_cost),
        "tax": str(order.tax),
        "total": str(order.total),
        "paid": str(now.captured),
        "payment": _payment_words(now),
    }


def _payment_words(now: Situation) -> str:
    payment = next((p for p in reversed(now.payments) if p.captured), None)
    if payment is None:
        return ""
    ending = f" ending {payment.card_last4}" if payment.card_last4 else ""
    return f"{payment.method_name}{ending}"


def _line(item: OrderItem) -> dict[str, Any]:
    return {
        "sku": item.sku,
        "name": item.name,
        "quantity": item.quantity - item.cancelled,
        "unit_price": str(item.unit_price),
        "discount": str(item.discount),
        "tax_rate": str(item.tax_rate),
        "total": str(item.total_price - item.discount),
    }
