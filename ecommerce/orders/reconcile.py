"""Whether orders add up: their lines, their parcels and what the ledgers say about them."""

from decimal import Decimal

from django.db.models import Count, F, Q, Sum

from ecommerce.inventory import reconcile as inventory
from ecommerce.inventory.models import MovementKind, Reservation, StockMovement
from ecommerce.orders.models import Fulfillment, Order, OrderItem
from ecommerce.payments import reconcile as payments
from ecommerce.payments.models import Payment
from platform_site.common.money import ZERO

ENDED = (Order.Status.CANCELLED, Order.Status.EXPIRED)


def all_differences() -> list[str]:
    """One sentence for each figure that is wrong, over stock, payments and orders."""
    return [*inventory.differences(), *payments.differences(), *differences()]


def differences() -> list[str]:
    """One sentence for each order whose figures do not follow from its rows."""
    return [*_totals(), *_parcels(), *_stock(), *_money()]


def _totals() -> list[str]:
    """The order's sums are the sums of its lines, to the penny."""
    found = []
    rows = Order.objects.annotate(
        lines=Sum("items__total_price"), taxes=Sum("items__tax"), cuts=Sum("items__discount")
    )
    for order in rows.order_by("pk").iterator(chunk_size=1000):
        for name, kept, summed in (
            ("subtotal", order.subtotal, order.lines),
            ("tax", order.tax, order.taxes),
            ("discount", order.discount, order.cuts),
        ):
            if kept != Decimal(summed or 0).quantize(kept):
                found.append(f"{order}: its {name} is {kept}, its lines add up to {summed}.")
        if order.total != order.subtotal - order.discount + order.shipping_cost + order.tax:
            found.append(f"{order}: its total {order.total} is not the sum of its parts.")
    return found


def _parcels() -> list[str]:
    """What a line has fulfilled is what its shipped parcels hold."""
    gone = Q(parcel_lines__fulfillment__status__in=Fulfillment.GONE)
    rows = OrderItem.objects.annotate(sent=Sum("parcel_lines__quantity", filter=gone, default=0))
    return [
        f"{item} of order {item.order_id}: {item.fulfilled} fulfilled, {item.sent} in parcels."
        for item in rows.exclude(fulfilled=F("sent"))
    ]


def _stock() -> list[str]:
    """An ended order reserves nothing, and what left the shelf for an order is what it shipped."""
    held = Reservation.objects.filter(status=Reservation.Status.ACTIVE)
    by_subject = dict(held.values_list("subject").annotate(Count("pk")).order_by())
    ended = Order.objects.filter(status__in=ENDED).order_by("pk").iterator(chunk_size=1000)
    found = [
        f"{order} is {order.status} and still reserves stock."
        for order in ended
        if order.subject in by_subject
    ]
    moved = StockMovement.objects.filter(
        kind=MovementKind.SHIP, subject__startswith="orders.order:"
    )
    shipped = dict(moved.order_by().values_list("subject").annotate(units=-Sum("quantity")))
    lines = OrderItem.objects.filter(fulfilled__gt=0).order_by()
    fulfilled = {
        f"orders.order:{pk}": units
        for pk, units in lines.values_list("order").annotate(units=Sum("fulfilled"))
    }
    for subject in sorted(set(shipped) | set(fulfilled)):
        left, counted = shipped.get(subject, 0), fulfilled.get(subject, 0)
        if left != counted:
            found.append(f"{subject}: {left} units left the shelf, {counted} are fulfilled.")
    return found


def _money() -> list[str]:
    """Nobody pays more than an order costs, and an ended order keeps no money."""
    kept = {
        number: (captured or ZERO) - (refunded or ZERO)
        for number, captured, refunded in Payment.objects.order_by()
        .values_list("order_number")
        .annotate(Sum("captured"), Sum("refunded"))
    }
    found = []
    for order in Order.objects.order_by("pk").iterator(chunk_size=1000):
        money = kept.get(order.order_number, ZERO)
        if money > order.total:
            found.append(f"{order} costs {order.total}, and {money} was taken.")
        if order.status == Order.Status.DELIVERED and money < order.total and not _went_back(order):
            found.append(f"{order} is delivered, and of {order.total} only {money} was taken.")
    return found


def _went_back(order: Order) -> bool:
    return order.payment_status in (Order.Payment.REFUNDED, Order.Payment.PARTIALLY_REFUNDED)
