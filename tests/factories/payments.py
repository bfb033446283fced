"""Payments in any state, made the way they are made in life."""

from decimal import Decimal

from ecommerce.payments.first_run import ensure
from ecommerce.payments.models import Payment, PaymentMethod
from ecommerce.payments.services import payment_request

_numbers = iter(range(1, 10**6))


def make_payment(
    *,
    order_number="",
    amount="100.00",
    method="credit_card",
    currency="GBP",
    capture=False,
    simulate="",
    idempotency_key="",
    actor="shop",
):
    """A payment that is asked for; `run_agents` lets the provider answer."""
    if not PaymentMethod.objects.exists():
        ensure(actor="test")
    return payment_request(
        order_number=order_number or f"ORD-T{next(_numbers):05d}",
        method=method,
        amount=Decimal(amount),
        currency=currency,
        capture=capture,
        simulate=simulate,
        idempotency_key=idempotency_key,
        actor=actor,
    )


def again(payment):
    """The payment as it is now."""
    return Payment.objects.get(pk=payment.pk)
