"""How the services write money: under the payment's row, one line for each request and answer."""

from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from ecommerce.payments.models import Payment, PaymentEvent, Phase, Refund

Status = Payment.Status


def locked(payment_id: int) -> Payment:
    """The payment as it is now, held until the transaction ends."""
    return Payment.objects.select_for_update().get(pk=payment_id)


def asked(payment: Payment, key: str) -> PaymentEvent | None:
    """The request that carried this key."""
    return payment.events.filter(idempotency_key=key, phase=Phase.REQUEST).first()


def ask(
    payment: Payment,
    *,
    kind: str,
    amount: Decimal,
    key: str,
    actor: str,
    refund: Refund | None = None,
) -> PaymentEvent:
    """Write that the provider is to be asked; the agent asks."""
    return PaymentEvent.objects.create(
        payment=payment,
        refund=refund,
        kind=kind,
        phase=Phase.REQUEST,
        amount=amount,
        idempotency_key=key,
        actor=actor,
    )


def facts(payment: Payment, amount: Decimal | None = None, **more: Any) -> dict[str, Any]:
    """What every event of a payment carries, and what this one adds."""
    return {
        "order_number": payment.order_number,
        "payment_id": payment.pk,
        "amount": payment.amount if amount is None else amount,
        "currency": payment.currency,
        **more,
    }


def settle(payment: Payment, **changes: Any) -> Payment:
    """Set totals of a locked payment and move it to the status that follows from them."""
    for name, value in changes.items():
        setattr(payment, name, value)
    status = _status(payment)
    if status != payment.status:
        return payment.become(status, **changes)
    Payment.objects.filter(pk=payment.pk).update(
        version=F("version") + 1, updated_at=timezone.now(), **changes
    )
    payment.version += 1
    return payment


def _status(payment: Payment) -> str:
    if not payment.authorized:
        return payment.status
    is_closed = payment.captured + payment.voided == payment.authorized
    if not payment.captured:
        return Status.VOIDED if is_closed else Status.AUTHORIZED
    if payment.refunded:
        is_all_back = is_closed and payment.refunded == payment.captured
        return Status.REFUNDED if is_all_back else Status.PARTIALLY_REFUNDED
    return Status.CAPTURED if is_closed else Status.PARTIALLY_CAPTURED
