"""Undo the payments of an order, whatever state they are in, as often as it is asked."""

from django.db import transaction
from django.utils import timezone

from ecommerce.payments.models import Payment
from ecommerce.payments.services.ledger import locked, settle
from ecommerce.payments.services.payments import payment_void
from ecommerce.payments.services.refunds import payment_refund
from platform_site.common.access import requires

OVER = (
    Payment.Status.FAILED,
    Payment.Status.CANCELLED,
    Payment.Status.EXPIRED,
    Payment.Status.VOIDED,
    Payment.Status.REFUNDED,
)


@requires("payments:edit")
@transaction.atomic
def payments_unwind(*, order_number: str, reason: str, actor: str) -> list[Payment]:
    """Void what is not captured and refund what is, of every payment of the order.

    What a provider answers later is undone when it comes in. Asking twice undoes nothing twice.
    """
    rows = Payment.objects.filter(order_number=order_number).exclude(status__in=OVER)
    return [
        unwind(payment_id, reason=reason, actor=actor)
        for payment_id in rows.order_by("pk").values_list("pk", flat=True)
    ]


def unwind(payment_id: int, *, reason: str, actor: str) -> Payment:
    """Ask back all of one payment that is not asked back yet."""
    payment = locked(payment_id)
    if payment.status in (Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION):
        return payment_void(payment, reason=reason, actor=actor)
    if payment.unwound_at is None:
        settle(payment, unwound_at=timezone.now(), unwind_reason=reason[:200])
    if payment.uncaptured > 0:
        payment = payment_void(payment, reason=reason, actor=actor)
    if payment.refundable > 0:
        # The captured total only grows, so the key names this step of the unwinding.
        payment_refund(
            payment,
            amount=payment.refundable,
            reason=reason,
            key=f"unwind:{payment.captured}",
            actor=actor,
        )
    return Payment.objects.get(pk=payment_id)
