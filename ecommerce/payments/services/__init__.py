"""Every write to payments: ask for money, give it back, keep what the provider answered."""

from ecommerce.payments.services.answers import request_answered, request_unknown
from ecommerce.payments.services.methods import method_ensure
from ecommerce.payments.services.payments import payment_capture, payment_request, payment_void
from ecommerce.payments.services.refunds import payment_refund, refund_decide, refund_retry
from ecommerce.payments.services.unwinding import payments_unwind

__all__ = [
    "method_ensure",
    "payment_capture",
    "payment_refund",
    "payment_request",
    "payment_void",
    "payments_unwind",
    "refund_decide",
    "refund_retry",
    "request_answered",
    "request_unknown",
]
