"""Ask for money, take it, let it go."""

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from ecommerce.payments import events
from ecommerce.payments.models import Kind, Payment, PaymentMethod
from ecommerce.payments.refusals import CaptureTooHigh, KeyReused, NothingToVoid, PaymentOpen
from ecommerce.payments.services.ledger import ask, asked, facts, locked, settle
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid

AUTHORIZE_KEY = "authorize"  # a payment is authorised once


@requires("payments:edit")
@transaction.atomic
def payment_request(
    *,
    order_number: str,
    method: str,
    amount: Decimal,
    currency: str,
    capture: bool,
    customer_id: int | None = None,
    card_last4: str = "",
    card_brand: str = "",
    simulate: str = "",
    idempotency_key: str = "",
    actor: str,
) -> Payment:
    """Ask for the authorisation of `amount`; with `capture` it is taken as soon as it is granted.

    `method` is the code of a payment method. The same key gives the same payment. Raises Invalid,
    KeyReused, PaymentOpen.
    """
    if idempotency_key:
        known = Payment.objects.filter(idempotency_key=idempotency_key).first()
        if known is not None:
            return _same(known, order_number, amount)
    chosen = PaymentMethod.objects.filter(code=method, enabled=True).first()
    if chosen is None:
        raise Invalid(f"There is no payment method {method}.", field="payment_method")
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                order_number=order_number,
                customer_id=customer_id,
                method=chosen,
                method_name=chosen.name,
                provider=chosen.provider,
                amount=amount,
                currency=currency,
                captures_at_once=capture,
                card_last4=card_last4,
                card_brand=card_brand,
                simulate=simulate,
                idempotency_key=idempotency_key,
            )
    except IntegrityError as error:
        return _twin(order_number, amount, idempotency_key, error)
    ask(payment, kind=Kind.AUTHORIZE, amount=amount, key=AUTHORIZE_KEY, actor=actor)
    emit(events.PAYMENT_REQUESTED, payment, actor=actor, **facts(payment, key=AUTHORIZE_KEY))
    return payment


@requires("payments:edit")
@transaction.atomic
def payment_capture(
    payment: Payment, *, amount: Decimal | None = None, key: str, actor: str
) -> Payment:
    """Ask for `amount` of what is authorised, or for all that is left.

    The same key asks once. Raises KeyReused, CaptureTooHigh.
    """
    payment = locked(payment.pk)
    request = asked(payment, f"capture:{key}")
    if request is not None:
        if amount not in (None, request.amount):
            raise KeyReused("This key was used for a capture of another amount; take a new key.")
        return payment
    wanted = payment.uncaptured if amount is None else amount
    if not 0 < wanted <= payment.uncaptured:
        raise CaptureTooHigh(
            f"{payment} has {payment.uncaptured} {payment.currency} left to capture, "
            f"so {wanted} cannot be taken.",
            available=payment.uncaptured,
            requested=wanted,
        )
    settle(payment, capture_pending=payment.capture_pending + wanted)
    ask(payment, kind=Kind.CAPTURE, amount=wanted, key=f"capture:{key}", actor=actor)
    told = facts(payment, wanted, key=f"capture:{key}")
    emit(events.PAYMENT_CAPTURE_REQUESTED, payment, actor=actor, **told)
    return payment


@requires("payments:edit")
@transaction.atomic
def payment_void(payment: Payment, *, reason: str = "", actor: str) -> Payment:
    """Let go of what is not captured: call off a pending payment, void the rest of another.

    Raises NothingToVoid; what is captured can only be refunded.
    """
    payment = locked(payment.pk)
    if payment.status in (Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION):
        return _call_off(payment, reason, actor)
    rest = payment.uncaptured
    if rest <= 0:
        if payment.void_pending:
            return payment
        raise NothingToVoid(
            f"{payment} is {payment.status} and has nothing left to cancel; "
            "what was captured can be refunded."
        )
    number = payment.events.filter(kind=Kind.VOID).count() + 1
    settle(payment, void_pending=rest)
    ask(payment, kind=Kind.VOID, amount=rest, key=f"void:{number}", actor=actor)
    told = facts(payment, rest, key=f"void:{number}")
    emit(events.PAYMENT_VOID_REQUESTED, payment, actor=actor, **told)
    return payment


def _call_off(payment: Payment, reason: str, actor: str) -> Payment:
    if payment.unwound_at is None:
        settle(payment, unwound_at=timezone.now(), unwind_reason=reason[:200])
        told = facts(payment, key=AUTHORIZE_KEY)
        emit(events.PAYMENT_CANCEL_REQUESTED, payment, actor=actor, **told)
    return payment


def _same(payment: Payment, order_number: str, amount: Decimal) -> Payment:
    if (payment.order_number, payment.amount) != (order_number, amount):
        raise KeyReused("This key was used for another payment; take a new key.")
    return payment


def _twin(order_number: str, amount: Decimal, key: str, error: IntegrityError) -> Payment:
    """Another request was first: the same one, or a different payment for the same order."""
    if key:
        known = Payment.objects.filter(idempotency_key=key).first()
        if known is not None:
            return _same(known, order_number, amount)
    open_one = Payment.objects.filter(order_number=order_number, status__in=Payment.OPEN).first()
    if open_one is None:
        raise error
    raise PaymentOpen(
        f"{open_one} is {open_one.status}; cancel it before the order is paid another way.",
        payment_id=open_one.pk,
    )
