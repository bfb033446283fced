"""Keep what the provider answered, and move the totals that follow from it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from ecommerce.payments import events
from ecommerce.payments.models import OUTCOMES, Kind, Payment, PaymentEvent, Phase, Refund
from ecommerce.payments.provider import CALLED_OFF, Answer
from ecommerce.payments.services.ledger import facts, locked, settle
from ecommerce.payments.services.payments import payment_capture
from ecommerce.payments.services.unwinding import unwind
from messaging.events import emit

AT_ONCE_KEY = "at-once"


@transaction.atomic
def request_answered(request: PaymentEvent, *, answer: Answer, actor: str) -> Payment:
    """Write the outcome of a request; a second answer to it changes nothing."""
    payment = locked(request.payment_id)
    if payment.events.filter(idempotency_key=request.idempotency_key, phase__in=OUTCOMES).exists():
        return payment
    _write(request, Phase.SUCCESS if answer.accepted else Phase.FAILURE, answer, actor)
    if payment.unknown_since is not None:
        settle(payment, unknown_since=None)
    _APPLY[request.kind, answer.accepted](payment, request, answer, actor)
    payment.refresh_from_db()
    if payment.unwound_at is not None and answer.accepted and request.kind in _BRINGS_IN:
        return unwind(payment.pk, reason=payment.unwind_reason, actor=actor)
    return payment


@transaction.atomic
def request_unknown(request: PaymentEvent, *, actor: str) -> Payment:
    """Write that the answer to a request was lost; said once for each request."""
    payment = locked(request.payment_id)
    if payment.events.filter(
        idempotency_key=request.idempotency_key, phase__in=(Phase.UNKNOWN, *OUTCOMES)
    ).exists():
        return payment
    _write(request, Phase.UNKNOWN, Answer(False), actor)
    settle(payment, unknown_since=timezone.now())
    told = facts(payment, request.amount, kind=request.kind)
    emit(events.PAYMENT_UNKNOWN, payment, actor=actor, **told)
    return payment


def _write(request: PaymentEvent, phase: str, answer: Answer, actor: str) -> None:
    PaymentEvent.objects.create(
        payment_id=request.payment_id,
        refund_id=request.refund_id,
        kind=request.kind,
        phase=phase,
        amount=request.amount,
        idempotency_key=request.idempotency_key,
        provider_ref=answer.provider_ref,
        error_code=answer.error_code,
        error=answer.error[:200],
        actor=actor,
    )


def _authorized(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    settle(payment, authorized=request.amount, provider_ref=answer.provider_ref)
    emit(events.PAYMENT_AUTHORIZED, payment, actor=actor, **facts(payment, request.amount))
    if payment.captures_at_once and payment.unwound_at is None:
        payment_capture(payment, key=AT_ONCE_KEY, actor=actor)


def _not_authorized(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    if answer.error_code == CALLED_OFF.error_code:
        payment.become(Payment.Status.CANCELLED)
        emit(events.PAYMENT_CANCELLED, payment, actor=actor, **facts(payment))
        return
    payment.become(Payment.Status.FAILED, **_error(answer))
    emit(events.PAYMENT_FAILED, payment, actor=actor, **facts(payment), **_error(answer))


def _captured(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    settle(
        payment,
        captured=payment.captured + request.amount,
        capture_pending=payment.capture_pending - request.amount,
        paid_at=payment.paid_at or timezone.now(),
        error_code="",
        error="",
    )
    told = facts(payment, request.amount, key=request.idempotency_key, captured=payment.captured)
    emit(events.PAYMENT_CAPTURED, payment, actor=actor, **told)


def _not_captured(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    settle(payment, capture_pending=payment.capture_pending - request.amount, **_error(answer))
    told = facts(payment, request.amount, key=request.idempotency_key)
    emit(events.PAYMENT_CAPTURE_FAILED, payment, actor=actor, **told, **_error(answer))
    is_untouched = payment.uncaptured == payment.authorized
    if answer.error_code == "expired" and is_untouched:
        payment.become(Payment.Status.EXPIRED)
        emit(events.PAYMENT_EXPIRED, payment, actor=actor, **facts(payment))


def _voided(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    settle(
        payment,
        voided=payment.voided + request.amount,
        void_pending=payment.void_pending - request.amount,
    )
    emit(events.PAYMENT_VOIDED, payment, actor=actor, **facts(payment, request.amount))


def _not_voided(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    settle(payment, void_pending=payment.void_pending - request.amount, **_error(answer))
    told = facts(payment, request.amount)
    emit(events.PAYMENT_VOID_FAILED, payment, actor=actor, **told, **_error(answer))


def _refunded(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    refund = _refund_of(request)
    refund.become(Refund.Status.DONE, error="")
    settle(
        payment,
        refunded=payment.refunded + request.amount,
        refund_pending=payment.refund_pending - request.amount,
    )
    told = facts(payment, request.amount, refund_id=refund.pk, refunded=payment.refunded)
    emit(events.PAYMENT_REFUNDED, payment, actor=actor, **told)


def _not_refunded(payment: Payment, request: PaymentEvent, answer: Answer, actor: str) -> None:
    refund = _refund_of(request)
    refund.become(Refund.Status.FAILED, error=answer.error[:200])
    settle(payment, refund_pending=payment.refund_pending - request.amount)
    told = facts(payment, request.amount, refund_id=refund.pk)
    emit(events.REFUND_FAILED, refund, actor=actor, **told, **_error(answer))


def _refund_of(request: PaymentEvent) -> Refund:
    return Refund.objects.select_for_update(of=("self",)).get(events=request)


def _error(answer: Answer) -> dict[str, Any]:
    return {"error_code": answer.error_code, "error": answer.error[:200]}


Apply = Callable[[Payment, PaymentEvent, Answer, str], None]
_APPLY: dict[tuple[str, bool], Apply] = {
    (Kind.AUTHORIZE, True): _authorized,
    (Kind.AUTHORIZE, False): _not_authorized,
    (Kind.CAPTURE, True): _captured,
    (Kind.CAPTURE, False): _not_captured,
    (Kind.VOID, True): _voided,
    (Kind.VOID, False): _not_voided,
    (Kind.REFUND, True): _refunded,
    (Kind.REFUND, False): _not_refunded,
}
_BRINGS_IN = (Kind.AUTHORIZE, Kind.CAPTURE)
