"""Steps of a pending order, in the order in which they fall due; each says what it did."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ecommerce.fraud.services import case_open
from ecommerce.inventory.refusals import OutOfStock
from ecommerce.inventory.services import stock_firm, stock_release
from ecommerce.orders import events
from ecommerce.orders.models import OrderHold
from ecommerce.orders.services.cancelling import is_overdue, order_cancel, order_expire
from ecommerce.orders.services.holding import PAYMENT_WINDOW, hold_release, order_hold
from ecommerce.orders.services.locking import write
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import (
    missing_for_confirmation,
    order_confirm,
    tell_customer,
)
from ecommerce.payments.services import payment_request
from messaging.events import emit
from platform_site.common.errors import Refusal

ASSESSED_WITHIN = timedelta(minutes=5)
NOT_ASSESSED = "Not assessed within 5 minutes."
FRAUD, STOCK, PAYMENT = OrderHold.Reason.FRAUD, OrderHold.Reason.STOCK, OrderHold.Reason.PAYMENT


def expire(now: Situation, *, actor: str) -> str:
    """The payment window is over."""
    if not is_overdue(now):
        return ""
    order_expire(now.order, actor=actor)
    return "expired"


def hold_unassessed(now: Situation, *, actor: str) -> str:
    """Never let through what nobody looked at."""
    is_late = now.order.created_at < timezone.now() - ASSESSED_WITHIN
    if now.is_assessed or not is_late or _was_held(now, FRAUD):
        return ""
    order_hold(now.order, reason=FRAUD, note=NOT_ASSESSED, actor=actor)
    return "held: not assessed"


def follow_reviewer(now: Situation, *, actor: str) -> str:
    """A reviewer decided the fraud case."""
    hold = now.hold(FRAUD)
    if now.case is None or now.case.status not in ("approved", "rejected"):
        return ""
    if now.case.status == "rejected":
        order_cancel(now.order, reason="Rejected by fraud review.", actor=actor)
        return "cancelled: rejected by fraud review"
    if hold is None:
        return ""
    hold_release(hold, note="Approved by fraud review.", actor=actor)
    return "fraud hold released"


def follow_assessment(now: Situation, *, actor: str) -> str:
    """The rules spoke: block cancels, review and reject hold and open a case, approve goes on."""
    assessment = now.assessment
    if assessment is None or not now.is_assessed:
        return ""
    if assessment.recommendation == "block":
        order_cancel(now.order, reason="Blocked by the fraud rules.", actor=actor)
        return "cancelled: blocked by the fraud rules"
    if assessment.recommendation == "approve":
        return _release_late(now, actor)
    if now.case is not None:
        return ""
    case_open(subject=now.order.subject, order_number=now.order.order_number, actor=actor)
    if not _was_held(now, FRAUD):
        note = f"Fraud score {assessment.score}, {assessment.level}."
        order_hold(now.order, reason=FRAUD, note=note, actor=actor)
    return "held for fraud review"


def _release_late(now: Situation, actor: str) -> str:
    hold = now.hold(FRAUD)
    if hold is None or hold.note != NOT_ASSESSED:
        return ""
    hold_release(hold, note="Assessed since, and approved.", actor=actor)
    return "fraud hold released"


def _was_held(now: Situation, reason: str) -> bool:
    return any(hold.reason == reason for hold in now.all_holds)


def give_back_stock(now: Situation, *, actor: str) -> str:
    """The payment was declined: the goods go back on sale until the customer pays otherwise."""
    if not now.payment_is_declined or now.order.metadata.get("declined") == now.payments[-1].pk:
        return ""
    payment, order = now.payments[-1], now.order
    units = stock_release(subject=order.subject, actor=actor)
    window = timezone.now() + PAYMENT_WINDOW
    metadata = {**order.metadata, "declined": payment.pk}
    write(order, stock_firm_at=None, expires_at=window, metadata=metadata)
    facts = {"order_number": order.order_number, "units": units}
    emit(events.ORDER_RELEASED_STOCK, order, actor=actor, **facts)
    tell_customer(order, template="payment-failed", key=str(payment.pk), actor=actor)
    return "payment declined: stock given back"


def make_stock_firm(now: Situation, *, actor: str) -> str:
    """The reservation loses its end; what expired is reserved anew, or the order is held."""
    order = now.order
    is_wanted = now.is_assessed or _was_held(now, FRAUD)
    if now.is_firm or not is_wanted or now.payment_is_declined or now.hold(STOCK):
        return ""
    try:
        with transaction.atomic():
            stock_firm(subject=order.subject, lines=list(now.goods.items()), actor=actor)
    except OutOfStock as refusal:
        order_hold(order, reason=STOCK, note=refusal.detail, actor=actor)
        return "held: out of stock"
    write(order, stock_firm_at=timezone.now())
    return "stock made firm"


def ask_for_money(now: Situation, *, actor: str) -> str:
    """The authorisation by the method that the customer chose, once; a retry is the customer's."""
    order = now.order
    if not order.payment_method or now.payments or not now.is_firm or now.is_covered:
        return ""
    if now.hold(PAYMENT):
        return ""
    try:
        with transaction.atomic():
            payment_request(
                order_number=order.order_number,
                method=order.payment_method,
                amount=now.due,
                currency=order.currency,
                capture=False,
                customer_id=order.customer_id,
                card_last4=order.card_last4,
                card_brand=order.card_brand,
                simulate=order.simulate,
                idempotency_key=f"{order.subject}:authorize",
                actor=actor,
            )
    except Refusal as refusal:
        order_hold(order, reason=PAYMENT, note=refusal.detail, actor=actor)
        return "held: the payment cannot be asked for"
    return "payment requested"


def confirm(now: Situation, *, actor: str) -> str:
    """Nothing is missing."""
    if missing_for_confirmation(now):
        return ""
    order_confirm(now.order, actor=actor)
    return "confirmed"


BEFORE_CONFIRMATION: tuple[Callable[..., str], ...] = (
    expire,
    follow_reviewer,
    follow_assessment,
    hold_unassessed,
    give_back_stock,
    make_stock_firm,
    ask_for_money,
    confirm,
)
