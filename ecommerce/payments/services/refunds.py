"""Give money back: within the limit at once, above it when a second person agrees."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from ecommerce.payments import events
from ecommerce.payments.models import Kind, Payment, Refund
from ecommerce.payments.refusals import KeyReused, RefundTooHigh, SecondPersonNeeded
from ecommerce.payments.services.ledger import ask, facts, locked, settle
from messaging.events import emit
from platform_site.common.access import requires


@requires("payments:refund")
@transaction.atomic
def payment_refund(
    payment: Payment, *, amount: Decimal, reason: str, key: str, actor: str
) -> Refund:
    """Give `amount` of what was captured back; any number of parts, together at most the captured.

    The same key gives the same refund. Above the method's limit the refund waits as `requested`.
    Raises KeyReused, RefundTooHigh.
    """
    payment = locked(payment.pk)
    known = payment.refunds.filter(idempotency_key=key).first()
    if known is not None:
        if known.amount != amount:
            raise KeyReused("This key was used for a refund of another amount; take a new key.")
        return known
    limit = payment.method.refund_limit
    given = payment.refunded + payment.refund_pending
    _reserve(payment, amount)
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        reason=reason,
        idempotency_key=key,
        requested_by=actor,
    )
    if limit is not None and given + amount > limit:
        emit(events.REFUND_REQUESTED, refund, actor=actor, **_facts(refund))
        return refund
    return _approve(refund, actor)


@requires("payments:refund")
@transaction.atomic
def refund_decide(refund: Refund, *, approve: bool, reason: str = "", actor: str) -> Refund:
    """The second person's word. Raises SecondPersonNeeded, TransitionNotAllowed, StaleState."""
    if actor == refund.requested_by:
        raise SecondPersonNeeded(
            f"{refund} was requested by {actor}; somebody else has to decide about it."
        )
    decision: dict[str, Any] = {
        "decided_by": actor,
        "decided_at": timezone.now(),
        "decision_reason": reason[:500],
    }
    payment = locked(refund.payment_id)
    if approve:
        return _approve(refund, actor, **decision)
    refund.become(Refund.Status.DECLINED, **decision)
    settle(payment, refund_pending=payment.refund_pending - refund.amount)
    emit(events.REFUND_DECLINED, refund, actor=actor, **_facts(refund), reason=reason)
    return refund


@requires("payments:refund")
@transaction.atomic
def refund_retry(refund: Refund, *, actor: str) -> Refund:
    """Ask again for a refund that the provider refused.

    Raises TransitionNotAllowed, RefundTooHigh.
    """
    payment = locked(refund.payment_id)
    _approve(refund, actor, attempt=refund.attempt + 1)
    _reserve(payment, refund.amount)
    return refund


def _approve(refund: Refund, actor: str, **changes: Any) -> Refund:
    refund.become(Refund.Status.APPROVED, **changes)
    key = f"refund:{refund.idempotency_key}:{refund.attempt}"
    ask(refund.payment, kind=Kind.REFUND, amount=refund.amount, key=key, actor=actor, refund=refund)
    emit(events.REFUND_APPROVED, refund, actor=actor, **_facts(refund), key=key)
    return refund


def _reserve(payment: Payment, amount: Decimal) -> None:
    if not 0 < amount <= payment.refundable:
        raise RefundTooHigh(
            f"{payment} has {payment.refundable} {payment.currency} left to refund, "
            f"so {amount} cannot be given back.",
            available=payment.refundable,
            requested=amount,
        )
    settle(payment, refund_pending=payment.refund_pending + amount)


def _facts(refund: Refund) -> dict[str, Any]:
    return facts(refund.payment, refund.amount, refund_id=refund.pk)
