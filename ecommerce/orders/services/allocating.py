"""From reservations to parcels: which units of which line leave which warehouse."""

from ecommerce.inventory.models import Reservation
from ecommerce.orders.models import Fulfillment, OrderItem
from ecommerce.orders.services.situation import Situation
from ecommerce.warehouses.models import Warehouse

Lines = list[tuple[OrderItem, int]]


def loose_units(now: Situation) -> dict[OrderItem, int]:
    """Units by line that are neither fulfilled nor in a parcel that is being made."""
    packed: dict[int, int] = {}
    for parcel in now.fulfillments:
        if parcel.status not in Fulfillment.GONE:
            for line in parcel.lines.all():
                packed[line.item_id] = packed.get(line.item_id, 0) + line.quantity
    left = {
        item: item.quantity - item.cancelled - item.fulfilled - packed.get(item.pk, 0)
        for item in now.items
        if item.variant_id
    }
    return {item: units for item, units in left.items() if units > 0}


def parcels_to_make(now: Situation) -> list[tuple[Warehouse, Lines]]:
    """One parcel for each warehouse that holds a reservation, in the order of their ids."""
    reserved = _reserved(now)
    loose = loose_units(now)
    parcels: list[tuple[Warehouse, Lines]] = []
    for warehouse, units in reserved:
        lines: Lines = []
        for item, wanted in loose.items():
            taken = min(wanted, units.get(item.variant_id or 0, 0))
            if taken:
                units[item.variant_id or 0] -= taken
                loose[item] -= taken
                lines.append((item, taken))
        if lines:
            parcels.append((warehouse, lines))
    return parcels


def _reserved(now: Situation) -> list[tuple[Warehouse, dict[int, int]]]:
    """Reserved units by warehouse and variant that no open parcel of the warehouse claims yet."""
    rows = Reservation.objects.filter(subject=now.order.subject, status="active")
    units: dict[Warehouse, dict[int, int]] = {}
    for row in rows.select_related("level__warehouse").order_by("level__warehouse_id", "pk"):
        shelf = units.setdefault(row.level.warehouse, {})
        shelf[row.level.variant_id] = shelf.get(row.level.variant_id, 0) + row.held
    for parcel in now.fulfillments:
        if parcel.status in Fulfillment.GONE:
            continue
        shelf = units.get(parcel.warehouse, {})
        for line in parcel.lines.all():
            if line.item.variant_id in shelf:
                shelf[line.item.variant_id] -= line.quantity
    return list(units.items())
