"""The words that clients of the Commerce API know for the states of a payment."""

from ecommerce.payments.models import Payment

Status = Payment.Status

WORDS: dict[str, str] = {
    Status.PENDING: "pending",
    Status.REQUIRES_ACTION: "processing",
    Status.AUTHORIZED: "authorized",
    Status.PARTIALLY_CAPTURED: "authorized",
    Status.CAPTURED: "completed",
    Status.PARTIALLY_REFUNDED: "partially_refunded",
    Status.REFUNDED: "refunded",
    Status.VOIDED: "cancelled",
    Status.EXPIRED: "cancelled",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
UNKNOWN = "unknown"  # our word for "the provider's answer was lost"


def word_of(payment: Payment) -> str:
    """The client's word; while an answer is lost it is `processing`."""
    return "processing" if payment.unknown_since else WORDS[payment.status]


def state_of(payment: Payment) -> str:
    """Our word, finer."""
    return UNKNOWN if payment.unknown_since else payment.status


def statuses_of(word: str) -> list[str]:
    """The statuses that a client's word or one of ours stands for; empty for an unknown word."""
    if word in WORDS:
        # `pending`, `authorized`, … are words of both: the client's meaning includes ours.
        return [status for status, known in WORDS.items() if word in (status, known)]
    return [status for status, known in WORDS.items() if known == word]
