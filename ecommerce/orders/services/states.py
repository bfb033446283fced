"""The three axes of an order: its own status moves here, the other two are computed."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from ecommerce.communications.services import message_queue
from ecommerce.orders import events
from ecommerce.orders.models import Order, OrderHold
from ecommerce.orders.services.locking import locked, write
from ecommerce.orders.services.situation import Situation
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Refusal


class NotReady(Refusal):
    """Something is still missing before the order may go on; `waits_for` names it."""

    code = "not_ready"


def order_refresh(order: Order, *, actor: str, now: Situation | None = None) -> Order:
    """Compute payment and fulfillment status from their rows; the only place that writes them."""
    now = now or Situation(order)
    computed = {
        "payment_status": _payment_status(now),
        "fulfillment_status": _fulfillment_status(now),
    }
    if any(getattr(order, name) != value for name, value in computed.items()):
        write(order, **computed)
        facts = {"order_number": order.order_number, **computed}
        emit(events.ORDER_STATUS_COMPUTED, order, actor=actor, **facts)
    return order


def _payment_status(now: Situation) -> Order.Payment:
    captured, refunded = now.captured, now.refunded
    if captured and refunded >= captured:
        return Order.Payment.REFUNDED
    if refunded:
        return Order.Payment.PARTIALLY_REFUNDED
    if captured and captured >= now.order.total:
        return Order.Payment.PAID
    if captured or now.authorized:
        return Order.Payment.AUTHORIZED
    return Order.Payment.FAILED if now.payment_is_declined else Order.Payment.UNPAID


def _fulfillment_status(now: Situation) -> Order.Fulfilled:
    goods = [item for item in now.items if item.variant_id]
    wanted = sum(item.quantity - item.cancelled for item in goods)
    fulfilled = sum(item.fulfilled for item in goods)
    if fulfilled and sum(item.returned for item in goods) >= fulfilled:
        return Order.Fulfilled.RETURNED
    if fulfilled:
        is_all = fulfilled >= wanted
        return Order.Fulfilled.FULFILLED if is_all else Order.Fulfilled.PARTIALLY_FULFILLED
    is_service = not goods and now.order.status in (Order.Status.SHIPPED, Order.Status.DELIVERED)
    return Order.Fulfilled.FULFILLED if is_service else Order.Fulfilled.UNFULFILLED


@requires("orders:edit")
@transaction.atomic
def order_confirm(order: Order, *, actor: str) -> Order:
    """Everything that a confirmation needs is there: the promise stands, and the customer is told.

    Raises NotReady while stock, money, the assessment or a hold is open, TransitionNotAllowed,
    StaleState.
    """
    order = locked(order)
    missing = missing_for_confirmation(Situation(order))
    if order.status == Order.Status.PENDING and missing:
        raise NotReady(f"{order} waits for: {'; '.join(missing)}.", waits_for=missing)
    order.become(Order.Status.CONFIRMED, confirmed_at=timezone.now(), expires_at=None)
    lines = [{"quantity": item.quantity, "name": item.name} for item in Situation(order).items]
    tell_customer(order, template="order-confirmation", actor=actor, lines=lines)
    emit(events.ORDER_CONFIRMED, order, actor=actor, order_number=order.order_number)
    return order


def missing_for_confirmation(now: Situation) -> list[str]:
    """What a pending order still waits for, in words."""
    missing = [hold_words(hold) for hold in now.holds]
    if not now.is_assessed and not any(hold.reason == "fraud" for hold in now.all_holds):
        missing.append("the fraud assessment")
    if not now.is_firm:
        missing.append("its stock reservation")
    if not now.is_covered:
        missing.append(_money_words(now))
    return missing


def hold_words(hold: OrderHold) -> str:
    """`hold fraud since 2026-01-31 10:02 UTC (Fraud score 50, medium.)`."""
    note = f" ({hold.note})" if hold.note else ""
    return f"hold {hold.reason} since {hold.created_at:%Y-%m-%d %H:%M} UTC{note}"


def _money_words(now: Situation) -> str:
    amount = f"{now.due} {now.order.currency}"
    if now.payment_is_declined:
        return f"a payment of {amount}: the last one was declined"
    if now.live_payments:
        return f"the provider's answer about {amount}"
    if now.order.payment_method:
        return f"the authorisation of {amount}"
    return f"a payment of {amount}"


def tell_customer(
    order: Order, *, template: str, actor: str, key: str = "", **context: Any
) -> None:
    """Queue a message about the order; it is sent once for each template and key."""
    address: dict[str, str] = order.shipping_address or {}
    customer = order.customer
    name = (customer.first_name if customer else "") or address.get("name", "")
    message_queue(
        template=template,
        to=order.email,
        context={
            "order_number": order.order_number,
            "total": str(order.total),
            "currency": order.currency,
            "name": name,
            **context,
        },
        about=order.subject,
        order_number=order.order_number,
        key=f"{template}:{key or order.subject}",
        actor=actor,
    )
