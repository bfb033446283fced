"""The payment methods of a new installation."""

from decimal import Decimal

from ecommerce.payments.services import method_ensure

REFUND_LIMIT = Decimal("1000.00")
METHODS = (
    ("credit_card", "Credit card"),
    ("debit_card", "Debit card"),
    ("paypal", "PayPal"),
    ("stripe", "Stripe"),
    ("bank_transfer", "Bank transfer"),
    ("account", "On account"),
)


def ensure(*, actor: str) -> None:
    """The known methods, all on the built-in simulator until a real provider is set up."""
    for position, (code, name) in enumerate(METHODS):
        method_ensure(
            code=code, name=name, refund_limit=REFUND_LIMIT, position=position, actor=actor
        )
