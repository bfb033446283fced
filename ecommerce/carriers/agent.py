"""The carrier agent: rates, buys labels, hands parcels over and follows them."""

from typing import Any

from django.utils import timezone

from ecommerce.agents import BY_PACKAGE
from ecommerce.carriers import events, services
from ecommerce.carriers.models import LabelAttempt, Shipment
from ecommerce.carriers.provider import AnswerLost, Label, LabelRefused, Parcel, provider_of
from platform_site.common.errors import Unavailable
from tasks.handlers import handles
from tasks.ticks import tick

Status = Shipment.Status
ASKED_AT_ONCE = 3  # how often a lost answer is asked for again before the task waits
PER_TICK = 200
JOURNEYS = {"return": Status.RETURNED, "lose": Status.LOST}


@handles(on=events.SHIPMENT_REQUESTED)
def ship(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Rate all services and buy a label of the best; where it refuses, of the next best."""
    shipment = _shipment(event)
    refused: set[int] = set()
    while shipment.status in (Status.PENDING, Status.RATED) or _has_open_attempt(shipment):
        if shipment.status == Status.PENDING:
            try:
                quote = _quote(shipment, refused)
            except services.NoService as nobody:
                services.shipment_fail(shipment, reason=nobody.detail, actor=actor)
                return {"shipment": shipment.pk, "failed": nobody.detail}
            services.shipment_rate(shipment, quote=quote, actor=actor)
        attempt = services.attempt_open(shipment, actor=actor)
        try:
            label = _buy(attempt)
        except LabelRefused as no:
            refused.add(attempt.service_id)
            shipment = services.attempt_close(attempt, error=str(no), actor=actor)
            continue
        shipment = services.shipment_label(attempt, label=label, actor=actor)
        if shipment.status == Status.VOIDED:
            provider_of(attempt.service.carrier).void(attempt.idempotency_key)
    return {"shipment": shipment.pk, "status": shipment.status, "label": shipment.tracking_number}


@handles(on=events.SHIPMENT_RELEASED)
def hand_over(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """The simulated carrier collects the parcel: its first scan."""
    shipment = _shipment(event)
    if shipment.status != Status.LABELLED or shipment.released_at is None:
        return {"shipment": shipment.pk, "skipped": f"already {shipment.status}"}
    shipment = services.tracking_record(
        shipment,
        code=Status.IN_TRANSIT,
        at=shipment.released_at,
        description="Collected",
        location=shipment.from_address.get("city", ""),
        actor=actor,
    )
    return {"shipment": shipment.pk, "status": shipment.status}


@handles(on=events.SHIPMENT_VOIDED)
def give_back(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Tell the carrier that the labels of a voided shipment will not be used."""
    shipment = _shipment(event)
    for attempt in shipment.attempts.select_related("service__carrier"):
        provider_of(attempt.service.carrier).void(attempt.idempotency_key)
    return {"shipment": shipment.pk, "labels": shipment.attempts.count()}


@tick(every_s=5)
def transit() -> None:
    """The simulated carrier's journeys that are over: parcels arrive, or meet their asked fault."""
    due = Shipment.objects.filter(
        status=Status.IN_TRANSIT,
        expected_at__lte=timezone.now(),
        service__carrier__provider="simulator",
    )
    for shipment in due.order_by("expected_at")[:PER_TICK]:
        services.tracking_record(
            shipment,
            code=JOURNEYS.get(shipment.simulate, Status.DELIVERED),
            at=shipment.expected_at or timezone.now(),
            location=shipment.to_address.get("city", ""),
            actor=BY_PACKAGE["carriers"].agent_id,
        )


def _shipment(event: dict[str, Any]) -> Shipment:
    return Shipment.objects.get(pk=event["entity_id"])


def _has_open_attempt(shipment: Shipment) -> bool:
    """Voided while the carrier's answer was lost: whether a label was sold has to be found out."""
    requested = LabelAttempt.Phase.REQUESTED
    return shipment.attempts.filter(phase=requested).exists()


def _quote(shipment: Shipment, refused: set[int]) -> services.Quote:
    to = shipment.to_address
    return services.shipping_quote(
        country=to.get("country", ""),
        postal_code=to.get("postal_code", ""),
        weight_g=shipment.weight_g,
        value=shipment.value,
        currency=shipment.currency,
        without=frozenset(refused),
    )


def _buy(attempt: LabelAttempt) -> Label:
    """The label of an attempt's key. Raises LabelRefused, Unavailable while no answer comes."""
    shipment = attempt.shipment
    parcel = Parcel(
        service_code=attempt.service.code,
        to_address=shipment.to_address,
        from_address=shipment.from_address,
        weight_g=shipment.weight_g,
        simulate=shipment.simulate,
    )
    for _ in range(ASKED_AT_ONCE):
        try:
            return provider_of(attempt.service.carrier).buy(attempt.idempotency_key, parcel)
        except AnswerLost:
            continue
    raise Unavailable("The carrier does not answer; the same key is asked again.")
