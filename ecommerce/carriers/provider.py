"""The wire to carriers: what every provider can do, and the built-in simulated one."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import F

from ecommerce.carriers.models import Carrier, SimulatedLabel


@dataclass(frozen=True)
class Label:
    """What a carrier sells: a tracking number and the text to print."""

    tracking_number: str
    text: str


@dataclass(frozen=True)
class Parcel:
    """What a carrier has to know about a parcel. `simulate` is heard by the simulator only."""

    service_code: str
    to_address: dict[str, Any]
    from_address: dict[str, Any]
    weight_g: int | None
    simulate: str = ""


class LabelRefused(Exception):
    """The carrier said no, for good."""


class AnswerLost(Exception):
    """Nobody knows whether the carrier acted; asking again with the same key is safe."""


class Provider(Protocol):
    """A carrier's interface. Calls are made outside transactions and carry a key."""

    def buy(self, key: str, parcel: Parcel) -> Label:
        """A label, the same one for the same key. Raises LabelRefused, AnswerLost."""

    def void(self, key: str) -> None:
        """Give the label of this key back; one that was never sold is no error."""


class Simulator:
    """A carrier of our own making: keeps its labels by key, and fails only when asked to."""

    def buy(self, key: str, parcel: Parcel) -> Label:
        if parcel.simulate == "refuse":
            raise LabelRefused(f"{parcel.service_code} does not take this parcel.")
        sold, _ = SimulatedLabel.objects.get_or_create(
            key=key, defaults={"service_code": parcel.service_code}
        )
        SimulatedLabel.objects.filter(pk=sold.pk).update(answers=F("answers") + 1)
        if parcel.simulate == "lost_answer" and sold.answers == 0:
            raise AnswerLost("The carrier printed the label and its answer was lost.")
        return Label(sold.tracking_number, _text(sold.tracking_number, parcel))

    def void(self, key: str) -> None:
        SimulatedLabel.objects.filter(key=key).update(is_voided=True)


PROVIDERS: dict[str, Provider] = {"simulator": Simulator()}


def provider_of(carrier: Carrier) -> Provider:
    """The provider through which a carrier is reached."""
    return PROVIDERS[carrier.provider]


def _text(tracking_number: str, parcel: Parcel) -> str:
    to = parcel.to_address
    place = f"{to.get('postal_code', '')} {to.get('city', '')}".strip()
    lines = [to.get("name"), to.get("company"), to.get("line1"), to.get("line2"), place]
    address = [line for line in (*lines, to.get("state"), to.get("country")) if line]
    return "\n".join([parcel.service_code.upper(), tracking_number, "", *address])
