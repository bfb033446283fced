"""Payments as rows: what was asked of a provider, what it answered, and the totals that follow."""

from ecommerce.payments.models.ledger import (
    OUTCOMES,
    GatewayCall,
    Kind,
    LedgerRowKept,
    PaymentEvent,
    Phase,
)
from ecommerce.payments.models.payments import Payment, PaymentMethod
from ecommerce.payments.models.refunds import Refund

__all__ = [
    "OUTCOMES",
    "GatewayCall",
    "Kind",
    "LedgerRowKept",
    "Payment",
    "PaymentEvent",
    "PaymentMethod",
    "Phase",
    "Refund",
]
