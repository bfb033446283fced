"""What a payment provider has to offer, and the one that is built in.

Every call carries a key. The same key gets the same answer, however often it is asked.
"""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Protocol

from django.db import IntegrityError, transaction

from ecommerce.payments.models import GatewayCall, Kind


class NoAnswer(Exception):
    """The provider did not answer: whether it acted is unknown."""


@dataclass(frozen=True)
class Answer:
    """What the provider says about one call."""

    accepted: bool
    provider_ref: str = ""
    error_code: str = ""
    error: str = ""


@dataclass(frozen=True)
class Call:
    """One request to a provider. `simulate` names the faults that the simulator shall show."""

    key: str
    kind: str
    amount: Decimal
    currency: str
    reference: str
    simulate: str = ""


class Provider(Protocol):
    """A payment provider."""

    def perform(self, call: Call) -> Answer:
        """Do what is asked, or say again what came of this key. Raises NoAnswer."""

    def call_off(self, call: Call) -> Answer:
        """The answer of this key if it was performed; else it never will be. Raises NoAnswer."""


REFUSALS = {
    "decline": ("declined", "The card was declined."),
    "expired": ("expired", "The authorisation has expired."),
}
CALLED_OFF = Answer(False, error_code="called_off", error="The request was called off.")


class FakeGateway:
    """A provider that works offline. It keeps its calls in a table of its own.

    Faults come only when asked for, as words in `simulate`, separated by commas; `capture:decline`
    limits one to a kind of call. `decline` and `expired` refuse (without a kind the authorisation),
    `timeout_after_success` acts and loses its first answer, `silent` never acts and never answers.
    """

    def perform(self, call: Call) -> Answer:
        if _asks_for(call, "silent"):
            raise NoAnswer(f"The provider did not answer about {call.reference}.")
        answer, is_first = self._kept(call, self._decide(call))
        if is_first and _asks_for(call, "timeout_after_success"):
            raise NoAnswer(f"The provider did not answer about {call.reference}.")
        return answer

    def call_off(self, call: Call) -> Answer:
        return self._kept(call, CALLED_OFF)[0]

    def _decide(self, call: Call) -> Answer:
        for word, (code, sentence) in REFUSALS.items():
            if _asks_for(call, word, without_kind=call.kind == Kind.AUTHORIZE):
                return Answer(False, error_code=code, error=sentence)
        return Answer(True, provider_ref=f"sim-{call.key}"[:80])

    def _kept(self, call: Call, answer: Answer) -> tuple[Answer, bool]:
        """The answer stored under the key, and whether it is this one."""
        fields = {
            "kind": call.kind,
            "amount": call.amount,
            "currency": call.currency,
            "reference": call.reference,
            "answer": asdict(answer),
        }
        try:
            with transaction.atomic():
                GatewayCall.objects.create(key=call.key, **fields)
        except IntegrityError:
            return Answer(**GatewayCall.objects.get(key=call.key).answer), False
        return answer, True


def _asks_for(call: Call, fault: str, *, without_kind: bool = True) -> bool:
    words = [word.strip() for word in call.simulate.split(",")]
    return f"{call.kind}:{fault}" in words or (without_kind and fault in words)


PROVIDERS: dict[str, Provider] = {"simulator": FakeGateway()}
