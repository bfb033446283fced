"""What the payment services say no to."""

from platform_site.common.errors import Forbidden, Refusal


class KeyReused(Refusal):
    """The key came before with another amount or another order."""

    status = 422
    code = "idempotency_key_reused"


class PaymentOpen(Refusal):
    """The order has a payment already that may still bring its money."""

    code = "payment_open"


class CaptureTooHigh(Refusal):
    """More than is authorised and not yet captured or voided."""

    code = "capture_too_high"


class RefundTooHigh(Refusal):
    """More than was captured and not yet given back."""

    code = "refund_too_high"


class NothingToVoid(Refusal):
    """All that was authorised is captured or void already."""

    code = "nothing_to_void"


class SecondPersonNeeded(Forbidden):
    """Who asked for the refund does not decide about it."""

    code = "second_person_needed"


class ProviderSilent(Refusal):
    """The provider has not answered for too long; a person has to look."""

    status = 502
    code = "provider_silent"
