"""Steps of a confirmed order: parcels, labels, money, the invoice, the way to the customer."""

from collections.abc import Callable, Iterator

from django.db import transaction

from ecommerce.carriers.models import Shipment
from ecommerce.carriers.services import shipment_release, shipment_request, shipment_retry
from ecommerce.documents.services import document_issue
from ecommerce.inventory.refusals import OutOfStock
from ecommerce.inventory.services import stock_firm
from ecommerce.orders.models import Fulfillment, Order, OrderHold
from ecommerce.orders.services.allocating import loose_units, parcels_to_make
from ecommerce.orders.services.fulfilling import (
    fulfillment_cancel,
    fulfillment_create,
    fulfillment_deliver,
    fulfillment_fail,
    fulfillment_pack,
    fulfillment_pick,
    fulfillment_ship,
    order_complete_services,
)
from ecommerce.orders.services.holding import order_hold
from ecommerce.orders.services.invoices import invoice_snapshot
from ecommerce.orders.services.money import capture_share, is_paid_for, parcel_value
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import tell_customer

P = Fulfillment.Status
ON_ITS_WAY = (
    Shipment.Status.IN_TRANSIT,
    Shipment.Status.OUT_FOR_DELIVERY,
    Shipment.Status.DELIVERED,
    Shipment.Status.EXCEPTION,
    Shipment.Status.RETURNED,
    Shipment.Status.LOST,
)


def make_parcels(now: Situation, *, actor: str) -> str:
    """A parcel for each warehouse that holds units of the order which are in none yet."""
    order = now.order
    if now.holds or order.status not in (Order.Status.CONFIRMED, Order.Status.PROCESSING):
        return ""
    if not loose_units(now):
        return ""
    try:
        with transaction.atomic():
            stock_firm(subject=order.subject, lines=list(now.goods.items()), actor=actor)
    except OutOfStock as refusal:
        order_hold(order, reason=OrderHold.Reason.STOCK, note=refusal.detail, actor=actor)
        return "held: out of stock"
    made = [
        fulfillment_create(order, warehouse=warehouse, lines=lines, actor=actor)
        for warehouse, lines in parcels_to_make(now)
    ]
    return f"{len(made)} parcel{'s' if len(made) > 1 else ''} created"


def follow_floor(now: Situation, *, actor: str) -> str:
    """What the warehouse says about a parcel: picked, short, packed."""
    for parcel in _in_hand(now):
        pick = now.picks.get(parcel.subject)
        if pick is None or pick.status in ("open", "planned", "cancelled"):
            continue
        if pick.status == "short":
            return _set_short_aside(now, parcel, actor)
        if pick.status == "packed":
            weight = pick.pack.weight_g
            fulfillment_pack(parcel, weight_g=weight or _weight_g(parcel), actor=actor)
            return "parcel packed"
        if parcel.status == P.PENDING:
            fulfillment_pick(parcel, actor=actor)
            return "parcel picked"
    return ""


def _in_hand(now: Situation) -> Iterator[Fulfillment]:
    return (parcel for parcel in now.fulfillments if parcel.status in (P.PENDING, P.PICKING))


def _weight_g(parcel: Fulfillment) -> int | None:
    """The goods' weight where every one is known; a guess would buy the wrong label."""
    weights = [(line.item.weight_g, line.quantity) for line in parcel.lines.all()]
    if any(weight is None for weight, _ in weights):
        return None
    return sum((weight or 0) * quantity for weight, quantity in weights)


def _set_short_aside(now: Situation, parcel: Fulfillment, actor: str) -> str:
    """Never a silent shorter parcel: it is taken apart, and a person counts the shelf."""
    pick = now.picks[parcel.subject]
    missing = [line for line in pick.lines.all() if line.picked < line.quantity]
    words = ", ".join(f"{line.quantity - line.picked} of {line.sku}" for line in missing)
    note = f"Short pick in {parcel.warehouse.name}: {words} not found."
    order_hold(now.order, reason=OrderHold.Reason.STOCK, note=note, actor=actor)
    fulfillment_cancel(parcel, reason=note, actor=actor)
    return "held: short pick"


def ask_for_label(now: Situation, *, actor: str) -> str:
    """A packed parcel wants a label, unless something holds the order."""
    if now.holds:
        return ""
    for parcel in _packed(now):
        shipment = now.shipments.get(parcel.subject)
        if shipment is not None:
            if _label_failed(shipment):
                shipment_retry(shipment, actor=actor)
                return "label requested anew"
            continue
        shipment_request(
            subject=parcel.subject,
            order_number=now.order.order_number,
            to_address=now.order.shipping_address,
            from_address=parcel.warehouse.snapshot(),
            weight_g=parcel.weight_g,
            value=parcel_value(parcel),
            currency=now.order.currency,
            actor=actor,
        )
        return "label requested"
    return ""


def _packed(now: Situation) -> Iterator[Fulfillment]:
    return (parcel for parcel in now.fulfillments if parcel.status == P.PACKED)


def _label_failed(shipment: Shipment) -> bool:
    return shipment.status == Shipment.Status.PENDING and bool(shipment.failure)


def hold_for_carrier(now: Situation, *, actor: str) -> str:
    """No carrier took the parcel; one hold for each failure."""
    for parcel in _packed(now):
        shipment = now.shipments.get(parcel.subject)
        if shipment is None or not _label_failed(shipment):
            continue
        is_address = "address" in shipment.failure.lower()
        reason = OrderHold.Reason.ADDRESS if is_address else OrderHold.Reason.CARRIER
        if any(
            hold.reason == reason and hold.created_at >= shipment.updated_at
            for hold in now.all_holds
        ):
            continue
        order_hold(now.order, reason=reason, note=shipment.failure, actor=actor)
        return f"held: {reason}"
    return ""


def issue_invoice(now: Situation, *, actor: str) -> str:
    """With the first parcel that is labelled and paid for; a total of nothing needs none."""
    if now.invoice is not None or not now.captured or not is_paid_for(now) or not _is_labelled(now):
        return ""
    document = document_issue(
        kind="invoice",
        subject=now.order.subject,
        order_number=now.order.order_number,
        snapshot=invoice_snapshot(now),
        actor=actor,
    )
    tell_customer(now.order, template="invoice", actor=actor, document_number=document.number)
    return f"invoice {document.number} issued"


def _is_labelled(now: Situation) -> bool:
    if not any(item.variant_id for item in now.items):
        return True
    return any(shipment.tracking_number for shipment in now.shipments.values())


def hand_over(now: Situation, *, actor: str) -> str:
    """A labelled parcel that is paid for may go, unless something holds the order."""
    if now.holds or not is_paid_for(now):
        return ""
    for parcel in _packed(now):
        shipment = now.shipments.get(parcel.subject)
        if shipment is None or shipment.status != Shipment.Status.LABELLED:
            continue
        if shipment.released_at is None:
            shipment_release(subject=parcel.subject, actor=actor)
            return "parcel ready for the carrier"
    return ""


def follow_carrier(now: Situation, *, actor: str) -> str:
    """What the carrier says about a parcel: scanned, delivered, lost or on its way back."""
    for parcel in now.fulfillments:
        shipment = now.shipments.get(parcel.subject)
        if shipment is None or shipment.status not in ON_ITS_WAY:
            continue
        if parcel.status == P.PACKED:
            return _ship(parcel, shipment, actor)
        if parcel.status == P.SHIPPED and shipment.status == Shipment.Status.DELIVERED:
            fulfillment_deliver(parcel, actor=actor)
            return "parcel delivered"
        if parcel.status == P.SHIPPED and shipment.status in ("returned", "lost"):
            fulfillment_fail(parcel, reason=shipment.status, actor=actor)
            return f"parcel {shipment.status}"
    return ""


def _ship(parcel: Fulfillment, shipment: Shipment, actor: str) -> str:
    fulfillment_ship(
        parcel,
        carrier=shipment.carrier.name if shipment.carrier else "",
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        actor=actor,
    )
    return "parcel shipped"


def complete_services(now: Situation, *, actor: str) -> str:
    """An order of services alone is done when it is paid and invoiced."""
    is_confirmed = now.order.status == Order.Status.CONFIRMED
    if any(item.variant_id for item in now.items) or not is_confirmed or now.holds:
        return ""
    if not is_paid_for(now) or (now.captured and now.invoice is None):
        return ""
    order_complete_services(now.order, actor=actor)
    return "done: nothing to ship"


AFTER_CONFIRMATION: tuple[Callable[..., str], ...] = (
    make_parcels,
    follow_floor,
    hold_for_carrier,
    ask_for_label,
    capture_share,
    issue_invoice,
    hand_over,
    follow_carrier,
    complete_services,
)
