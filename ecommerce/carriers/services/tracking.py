"""Tracking: every scan is kept, in whatever order it comes; the state is the highest rank."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Min

from ecommerce.carriers import events
from ecommerce.carriers.models import CarrierService, Shipment, TrackingEvent
from ecommerce.carriers.services.shipments import facts_of
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid

Status = Shipment.Status
# A scan moves a parcel only to a higher rank, so that late and doubled scans change nothing.
RANKS: dict[str, int] = {
    Status.LABELLED: 0,
    Status.IN_TRANSIT: 1,
    Status.EXCEPTION: 2,
    Status.OUT_FOR_DELIVERY: 3,
    Status.LOST: 4,
    Status.RETURNED: 4,
    Status.DELIVERED: 4,
}
SCANS = tuple(code for code in RANKS if code != Status.LABELLED)
EVENT_NAMES = {
    Status.IN_TRANSIT: events.SHIPMENT_IN_TRANSIT,
    Status.OUT_FOR_DELIVERY: events.SHIPMENT_OUT_FOR_DELIVERY,
    Status.EXCEPTION: events.SHIPMENT_DELAYED,
    Status.DELIVERED: events.SHIPMENT_DELIVERED,
    Status.RETURNED: events.SHIPMENT_FAILED,
    Status.LOST: events.SHIPMENT_FAILED,
}


@requires("carriers:edit")
@transaction.atomic
def tracking_record(
    shipment: Shipment,
    *,
    code: str,
    at: datetime,
    description: str = "",
    location: str = "",
    actor: str,
) -> Shipment:
    """Keep a scan and move the parcel if the scan ranks higher. The same scan twice is one.

    Raises Invalid for an unknown code and for a parcel that no carrier has.
    """
    if code not in SCANS:
        raise Invalid(f"A scan is one of {', '.join(SCANS)}.", field="code")
    shipment = Shipment.objects.select_for_update().get(pk=shipment.pk)
    if shipment.status not in RANKS:
        raise Invalid(f"{shipment} is {shipment.status}; no carrier has it.", field="code")
    try:
        with transaction.atomic():
            TrackingEvent.objects.create(
                shipment=shipment, code=code, at=at, description=description, location=location
            )
    except IntegrityError:
        return shipment
    if RANKS[code] > RANKS[shipment.status]:
        if shipment.status == Status.LABELLED and code != Status.IN_TRANSIT:
            _move(shipment, Status.IN_TRANSIT, at, actor)  # its own scan is still on the way
        _move(shipment, code, at, actor)
    return shipment


def _move(shipment: Shipment, code: str, at: datetime, actor: str) -> None:
    changes: dict[str, Any] = {}
    if code == Status.IN_TRANSIT:
        first = shipment.events.aggregate(at=Min("at"))["at"]
        transit_s = CarrierService.objects.get(shipments=shipment).simulated_transit_s
        changes = {
            "scanned_at": first,
            "expected_at": first + timedelta(seconds=transit_s),
        }
    if code == Status.DELIVERED:
        changes = {"delivered_at": at}
    shipment.become(code, **changes)
    facts: dict[str, Any] = {"tracking_number": shipment.tracking_number, **facts_of(shipment)}
    if code in (Status.RETURNED, Status.LOST):
        facts["outcome"] = code
    emit(EVENT_NAMES[Status(code)], shipment, actor=actor, **facts)
