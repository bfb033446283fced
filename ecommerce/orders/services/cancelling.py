"""The cancel chain: each part asks its own rows what is left, so nothing is undone twice."""

from contextlib import suppress

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.documents.services import document_credit
from ecommerce.fraud.models import FraudCase
from ecommerce.fraud.services import case_decide
from ecommerce.inventory.services import stock_release
from ecommerce.orders import events
from ecommerce.orders.models import Fulfillment, Order
from ecommerce.orders.services.fulfilling import fulfillment_cancel
from ecommerce.orders.services.locking import locked, write
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import order_refresh, tell_customer
from ecommerce.payments.services import payments_unwind
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Refusal, StaleState


class AlreadyShipped(Refusal):
    """Something of the order is with the carrier; what is gone comes back as a return."""

    code = "already_shipped"


@requires("orders:edit")
@transaction.atomic
def order_cancel(order: Order, *, reason: str = "", actor: str) -> Order:
    """Cancel the order: holds closed, picks and labels undone, stock and money given back.

    Raises AlreadyShipped once a parcel is gone, TransitionNotAllowed, StaleState.
    """
    order = locked(order)
    if order.fulfillments.filter(status__in=Fulfillment.GONE).exists():
        raise AlreadyShipped(f"{order} is shipped, at least in part; it can only be returned.")
    order.become(
        Order.Status.CANCELLED,
        cancelled_at=timezone.now(),
        cancel_reason=reason[:200],
        expires_at=None,
    )
    _close_holds(order, actor)
    undo(order, reason=reason or "The order was cancelled.", actor=actor)
    order.items.filter(fulfilled=0).update(cancelled=F("quantity"))
    order_refresh(order, actor=actor)
    tell_customer(order, template="order-cancelled", actor=actor, reason=reason)
    emit(events.ORDER_CANCELLED, order, actor=actor, order_number=order.order_number, reason=reason)
    return order


@requires("orders:edit")
@transaction.atomic
def order_expire(order: Order, *, actor: str) -> Order:
    """End an order that nobody paid for in time, and give its stock back.

    Raises Refusal while it is not due: paid or perhaps paid, held, or the window still open.
    """
    order = locked(order)
    now = Situation(order)
    if not is_overdue(now):
        raise Refusal(f"{order} is not overdue.")
    order.become(Order.Status.EXPIRED, cancelled_at=timezone.now())
    order.items.update(cancelled=F("quantity"))
    undo(order, reason="The order was not paid in time.", actor=actor)
    order_refresh(order, actor=actor)
    tell_customer(order, template="order-cancelled", actor=actor, reason="it was not paid in time")
    emit(events.ORDER_EXPIRED, order, actor=actor, order_number=order.order_number)
    return order


def is_overdue(now: Situation) -> bool:
    """The payment window is over, no money came or may still come, and nobody looks into it."""
    order = now.order
    return (
        order.status == Order.Status.PENDING
        and order.expires_at is not None
        and order.expires_at <= timezone.now()
        and not now.live_payments
        and not now.holds
        and not now.is_covered
    )


def undo(order: Order, *, reason: str, actor: str) -> None:
    """Everything that an order took, given back as far as it is still taken."""
    alive = order.fulfillments.exclude(status__in=(*Fulfillment.GONE, Fulfillment.Status.CANCELLED))
    for fulfillment in alive.order_by("pk"):
        fulfillment_cancel(fulfillment, reason=reason, actor=actor)
    stock_release(subject=order.subject, actor=actor)
    if order.stock_firm_at is not None:
        write(order, stock_firm_at=None)
    payments_unwind(order_number=order.order_number, reason=reason, actor=actor)
    invoice = Situation(order).invoice
    if invoice is not None and invoice.status != "credited":
        document_credit(invoice, actor=actor)


def _close_holds(order: Order, actor: str) -> None:
    now = timezone.now()
    order.holds.filter(released_at=None).update(
        released_at=now,
        released_by=actor,
        release_note="The order was cancelled.",
        updated_at=now,
    )
    for case in FraudCase.objects.filter(subject=order.subject, status__in=FraudCase.UNDECIDED):
        with suppress(StaleState):  # a reviewer has it in hand; deciding it does nothing any more
            case_decide(case, decision="rejected", reason="The order was cancelled.", actor=actor)
