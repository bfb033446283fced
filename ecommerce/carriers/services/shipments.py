"""Shipments as others ask for them: requested, released to the carrier, given back."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.carriers import events
from ecommerce.carriers.models import Shipment
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal

FAULTS = ("", "refuse", "lost_answer", "return", "lose")


class NotLabelled(Refusal):
    """The parcel has no label yet."""

    code = "not_labelled"


@requires("carriers:edit")
@transaction.atomic
def shipment_request(
    *,
    subject: str,
    order_number: str,
    to_address: dict[str, Any],
    from_address: dict[str, Any],
    weight_g: int | None,
    value: Decimal,
    currency: str,
    simulate: str = "",
    actor: str,
) -> Shipment:
    """Ask for a label for the parcel of `subject`; asked again, the same shipment.

    `simulate` asks the simulated carrier for a fault: refuse, lost_answer, return or lose.
    """
    if simulate not in FAULTS:
        raise Invalid(f"simulate is one of {', '.join(filter(None, FAULTS))}.", field="simulate")
    shipment, is_new = Shipment.objects.get_or_create(
        subject=subject,
        defaults={
            "order_number": order_number,
            "to_address": to_address,
            "from_address": from_address,
            "weight_g": weight_g,
            "value": value,
            "currency": currency,
            "simulate": simulate,
        },
    )
    if is_new:
        emit(events.SHIPMENT_REQUESTED, shipment, actor=actor, **facts_of(shipment))
    return shipment


@requires("carriers:edit")
@transaction.atomic
def shipment_retry(shipment: Shipment, *, actor: str) -> Shipment:
    """Try again to buy a label after every service refused. Raises Refusal if it is not waiting."""
    waiting = Shipment.objects.filter(
        pk=shipment.pk, status=Shipment.Status.PENDING, failure__gt=""
    )
    if not waiting.update(failure="", updated_at=timezone.now(), version=F("version") + 1):
        raise Refusal(f"{shipment} is {shipment.status} and waits for no new try.")
    shipment.refresh_from_db()
    emit(events.SHIPMENT_REQUESTED, shipment, actor=actor, **facts_of(shipment))
    return shipment


@requires("carriers:edit")
@transaction.atomic
def shipment_release(*, subject: str, actor: str) -> Shipment:
    """The parcel stands ready for the carrier; said again, nothing happens. Raises NotLabelled."""
    shipment = Shipment.objects.get(subject=subject)
    now = timezone.now()
    ready = Shipment.objects.filter(
        pk=shipment.pk, status=Shipment.Status.LABELLED, released_at=None
    )
    if ready.update(released_at=now, updated_at=now, version=F("version") + 1):
        shipment.refresh_from_db()
        emit(events.SHIPMENT_RELEASED, shipment, actor=actor, **facts_of(shipment))
    shipment.refresh_from_db()
    if shipment.released_at is None:
        raise NotLabelled(f"{shipment} is {shipment.status}; it needs a label first.")
    return shipment


@requires("carriers:edit")
@transaction.atomic
def shipment_void(*, subject: str, actor: str) -> Shipment | None:
    """Give the label back before the first scan. None without a shipment or for a voided one.

    Raises TransitionNotAllowed once the carrier has scanned the parcel, StaleState.
    """
    shipment = Shipment.objects.filter(subject=subject).first()
    if shipment is None or shipment.status == Shipment.Status.VOIDED:
        return None
    shipment.become(Shipment.Status.VOIDED)
    number = shipment.tracking_number
    emit(
        events.SHIPMENT_VOIDED, shipment, actor=actor, tracking_number=number, **facts_of(shipment)
    )
    return shipment


def facts_of(shipment: Shipment) -> dict[str, str]:
    """What every event of a shipment carries."""
    return {"subject": shipment.subject, "order_number": shipment.order_number}
