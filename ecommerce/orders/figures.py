"""What orders bring in: one set of functions for statistics, overview and console."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from ecommerce.orders.models import Order, OrderHold
from ecommerce.payments.models import Payment
from platform_site.common.money import ZERO, rounded

GONE = (Order.Status.CANCELLED, Order.Status.EXPIRED)


@dataclass(frozen=True)
class Revenue:
    """The sum of the orders that count, less what went back, and how many they are."""

    orders: int
    gross: Decimal
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.refunded

    @property
    def average(self) -> Decimal:
        """Net revenue for each order; 0 without orders."""
        return rounded(self.net / self.orders) if self.orders else ZERO


def revenue(rows: QuerySet[Order] | None = None, *, currency: str | None = None) -> Revenue:
    """Revenue of orders that are neither cancelled nor expired, less refunds.

    Sums are over one currency; without `currency` over all, which is right where there is one.
    """
    counted = (Order.objects.all() if rows is None else rows).exclude(status__in=GONE).order_by()
    if currency is not None:
        counted = counted.filter(currency=currency)
    sums = counted.aggregate(orders=Count("pk"), gross=Sum("total"))
    numbers = counted.values("order_number")
    back = Payment.objects.filter(order_number__in=numbers, refunded__gt=0)
    refunded = back.aggregate(sum=Sum("refunded"))["sum"] or ZERO
    # SQLite sums amounts as floating-point numbers; to the cent they are exact.
    return Revenue(sums["orders"], rounded(sums["gross"] or ZERO), rounded(refunded))


def placed_between(
    rows: QuerySet[Order], *, since: datetime | None, until: datetime | None = None
) -> QuerySet[Order]:
    """Orders by the time they were placed."""
    if since is not None:
        rows = rows.filter(placed_at__gte=since)
    return rows if until is None else rows.filter(placed_at__lt=until)


def is_held() -> Q:
    """Orders with an active hold."""
    return Q(Exists(OrderHold.objects.filter(order=OuterRef("pk"), released_at=None)))


def came_today() -> Q:
    """Orders that reached us today, whenever they were placed elsewhere."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return Q(created_at__gte=start)


def by_status(rows: QuerySet[Order]) -> dict[str, int]:
    """How many orders stand where."""
    wanted = {f"n_{status}": Count("pk", filter=Q(status=status)) for status in Order.Status.values}
    counts: dict[str, Any] = rows.order_by().aggregate(**wanted)
    return {name.removeprefix("n_"): count for name, count in counts.items()}


def growth(now: Decimal | int, before: Decimal | int) -> float | None:
    """Percent more than before; None where there is nothing to compare with."""
    if not before:
        return None
    return round(float((Decimal(now) - Decimal(before)) / Decimal(before) * 100), 2)
