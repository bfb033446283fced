"""The row lock of an order: whoever changes an order or its parcels holds it first."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from ecommerce.orders.models import Order


def locked(order: Order) -> Order:
    """The order, read anew under its row lock (SQLite: its transaction is the lock)."""
    return Order.objects.select_for_update(of=("self",)).get(pk=order.pk)


def write(order: Order, **changes: Any) -> Order:
    """Set columns of a locked order other than its status."""
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1, updated_at=now, **changes)
    order.version += 1
    for name, value in {"updated_at": now, **changes}.items():
        setattr(order, name, value)
    return order
