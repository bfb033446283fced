"""Which orders a request means: the rows with what their answer shows, and the filters of lists."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from rest_framework.request import Request

from ecommerce.orders.models import Order, OrderHold, OrderItem
from platform_site.common.api.ranges import TIME_RANGES
from platform_site.common.column_list import ColumnList
from platform_site.common.errors import Invalid

PAYMENT_STATES = {"pending": (Order.Payment.UNPAID, Order.Payment.AUTHORIZED)}
STATES = {"cancelled": (Order.Status.CANCELLED, Order.Status.EXPIRED)}


def shown(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with what an answer shows beside their columns, in the same query."""
    items = OrderItem.objects.filter(order=OuterRef("pk")).order_by().values("order")
    number = items.annotate(n=Count("pk")).values("n")
    active = OrderHold.objects.filter(order=OuterRef("pk"), released_at=None).order_by("pk")
    return rows.annotate(
        channel_code=F("channel__code"),
        first_name=F("customer__first_name"),
        last_name=F("customer__last_name"),
        hold_reasons=ColumnList(active.values("reason")),
        n_items=Coalesce(Subquery(number, output_field=IntegerField()), 0),
    )


def filtered(rows: QuerySet[Order], request: Request) -> QuerySet[Order]:
    """The filters of `GET /api/orders`; clients' words and ours are both understood."""
    asked = request.query_params
    rows = _belonging(rows, asked)
    if status := asked.get("status"):
        rows = rows.filter(_status(status))
    if status := asked.get("payment_status"):
        rows = rows.filter(payment_status__in=PAYMENT_STATES.get(status, (status,)))
    if status := asked.get("fulfillment_status"):
        rows = rows.filter(fulfillment_status=status)
    if since := _since(request):
        rows = rows.filter(placed_at__gte=timezone.now() - since)
    if held := asked.get("hold"):
        active = OrderHold.objects.filter(released_at=None, reason=held)
        rows = rows.filter(pk__in=active.values("order"))
    if words := asked.get("search", "").strip():
        rows = rows.filter(_search(words))
    return rows


def _belonging(rows: QuerySet[Order], asked: Any) -> QuerySet[Order]:
    for name in ("customer_id", "merchant_id"):
        if value := asked.get(name):
            rows = rows.filter(**{name: _number(value, name)})
    return rows


def find(rows: QuerySet[Order], key: str) -> Order | None:
    """The order by id or by number."""
    if key.upper().startswith("ORD-"):
        return rows.filter(order_number=key.upper()).first()
    if key.isascii() and key.isdigit() and len(key) <= 18:
        return rows.filter(pk=int(key)).first()
    return None


def _status(word: str) -> Q:
    if word == "refunded":
        ended = (Order.Status.CANCELLED, Order.Status.EXPIRED)
        return Q(payment_status=Order.Payment.REFUNDED) & ~Q(status__in=ended)
    return Q(status__in=STATES.get(word, (word,)))


def _search(words: str) -> Q:
    """Order numbers from their beginning, references and mail addresses whole."""
    number = words.upper()
    customers = Q(customer__last_name__istartswith=words) | Q(customer__email__iexact=words)
    return (
        Q(order_number__startswith=number)
        | Q(external_ref__iexact=words)
        | Q(email__iexact=words)
        | customers
    )


def _since(request: Request) -> timedelta | None:
    asked = request.query_params
    for name in ("time_range", "timeRange", "range"):
        if word := asked.get(name):
            if word not in TIME_RANGES:
                choices = ", ".join(TIME_RANGES)
                raise Invalid(f"{name} is one of {choices}, not {word!r}.", field=name)
            return TIME_RANGES[word]
    return None


def _number(value: Any, name: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise Invalid(f"{name} must be a number.", field=name)
    return int(value)
