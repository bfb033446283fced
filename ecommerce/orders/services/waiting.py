"""What an order waits for, in words: read from the rows that the steps read."""

from collections.abc import Iterator

from ecommerce.orders.models import Fulfillment, Order
from ecommerce.orders.services.allocating import loose_units
from ecommerce.orders.services.money import is_paid_for
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import hold_words, missing_for_confirmation


def waits_for(now: Situation) -> list[str]:
    """What has to happen next; empty once nothing is left to do."""
    status = now.order.status
    if status in (Order.Status.DELIVERED, Order.Status.CANCELLED, Order.Status.EXPIRED):
        return []
    if status == Order.Status.PENDING:
        return missing_for_confirmation(now) or ["the order agent: it can be confirmed"]
    held = [hold_words(hold) for hold in now.holds]
    return held + list(_of_parcels(now)) or ["the order agent"]


def _of_parcels(now: Situation) -> Iterator[str]:
    loose = sum(loose_units(now).values())
    if loose:
        yield f"a parcel for {loose} unit{'s' if loose > 1 else ''}"
    for parcel in now.fulfillments:
        if words := _of_parcel(now, parcel):
            yield f"parcel {parcel.pk}: {words}"


def _of_parcel(now: Situation, parcel: Fulfillment) -> str:
    status, shipment = parcel.status, now.shipments.get(parcel.subject)
    if status in (Fulfillment.Status.PENDING, Fulfillment.Status.PICKING):
        return f"{parcel.warehouse.name} to pick and pack it"
    if status == Fulfillment.Status.SHIPPED:
        return "the carrier to deliver it"
    if status == Fulfillment.Status.FAILED:
        return "somebody to decide: it was lost or came back"
    if status != Fulfillment.Status.PACKED:
        return ""
    if shipment is None or not shipment.tracking_number:
        return f"a label ({shipment.failure})" if shipment and shipment.failure else "a label"
    return "the carrier to scan it" if is_paid_for(now) else "the capture of its share"
