"""Parcels: created from the reservations of a confirmed order, packed, handed over, delivered."""

from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from ecommerce.carriers.services import shipment_void
from ecommerce.customers.services import purchase_record
from ecommerce.inventory.services import stock_ship
from ecommerce.orders import events
from ecommerce.orders.models import Fulfillment, FulfillmentItem, Order, OrderItem
from ecommerce.orders.services.locking import locked
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import order_refresh, tell_customer
from ecommerce.products.models import Variant
from ecommerce.products.services import sales_record
from ecommerce.warehouses.models import Warehouse
from ecommerce.warehouses.services import pick_cancel, pick_request
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import TransitionNotAllowed


@requires("orders:edit")
@transaction.atomic
def fulfillment_create(
    order: Order, *, warehouse: Warehouse, lines: list[tuple[OrderItem, int]], actor: str
) -> Fulfillment:
    """A parcel for these lines from that warehouse, and the request to pick it.

    Raises TransitionNotAllowed unless the order is confirmed or in processing.
    """
    order = locked(order)
    fulfillment = Fulfillment.objects.create(order=order, warehouse=warehouse)
    FulfillmentItem.objects.bulk_create(
        FulfillmentItem(fulfillment=fulfillment, item=item, quantity=units) for item, units in lines
    )
    _start_processing(order, actor)
    wanted: dict[str, int] = {}
    for item, units in lines:
        wanted[item.sku] = wanted.get(item.sku, 0) + units
    facts = {"order_number": order.order_number, "warehouse": warehouse.code}
    emit(events.FULFILLMENT_CREATED, fulfillment, actor=actor, **facts, units=sum(wanted.values()))
    pick_request(
        subject=fulfillment.subject,
        order_number=order.order_number,
        warehouse=warehouse,
        lines=sorted(wanted.items()),
        actor=actor,
    )
    return fulfillment


def _start_processing(order: Order, actor: str) -> None:
    if order.status != Order.Status.PROCESSING:
        order.become(Order.Status.PROCESSING)
        emit(events.ORDER_PROCESSING, order, actor=actor, order_number=order.order_number)


@transaction.atomic
def fulfillment_pick(fulfillment: Fulfillment, *, actor: str) -> Fulfillment:
    """The warehouse has everything in hand. Raises TransitionNotAllowed, StaleState."""
    fulfillment.become(Fulfillment.Status.PICKING)
    return fulfillment


@requires("orders:edit")
@transaction.atomic
def fulfillment_pack(
    fulfillment: Fulfillment, *, weight_g: int | None = None, actor: str
) -> Fulfillment:
    """The parcel is closed. Raises TransitionNotAllowed, StaleState."""
    fulfillment.become(Fulfillment.Status.PACKED, weight_g=weight_g, packed_at=timezone.now())
    emit(events.FULFILLMENT_PACKED, fulfillment, actor=actor, **_facts(fulfillment))
    return fulfillment


@requires("orders:edit")
@transaction.atomic
def fulfillment_ship(
    fulfillment: Fulfillment,
    *,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
    actor: str,
) -> Fulfillment:
    """The carrier has the parcel: its units leave the stock, the customer hears of it.

    Raises TransitionNotAllowed unless it is packed, StaleState.
    """
    order = locked(fulfillment.order)
    fulfillment.become(
        Fulfillment.Status.SHIPPED, tracking_number=tracking_number, shipped_at=timezone.now()
    )
    stock_ship(
        subject=order.subject,
        lines=_fulfilled_lines(fulfillment),
        source_key=fulfillment.subject,
        warehouse=fulfillment.warehouse,
        actor=actor,
    )
    facts = {**_facts(fulfillment), "tracking_number": tracking_number}
    emit(events.FULFILLMENT_SHIPPED, fulfillment, actor=actor, **facts)
    tell_customer(
        order,
        template="order-shipped",
        key=fulfillment.subject,
        actor=actor,
        carrier=carrier or "our carrier",
        tracking_number=tracking_number,
        tracking_url=tracking_url,
    )
    order_refresh(order, actor=actor)
    if order.fulfillment_status == Order.Fulfilled.FULFILLED:
        _order_shipped(order, actor)
    return fulfillment


def _fulfilled_lines(fulfillment: Fulfillment) -> list[tuple[Variant, int]]:
    """Count the parcel's units as fulfilled; what that is of each variant."""
    units: dict[Variant, int] = {}
    changed = []
    for line in fulfillment.lines.select_related("item__variant").order_by("pk"):
        line.item.fulfilled += line.quantity
        changed.append(line.item)
        if line.item.variant is not None:
            units[line.item.variant] = units.get(line.item.variant, 0) + line.quantity
    # Plain values in one statement: the order's lock is held, nobody else writes these lines.
    OrderItem.objects.bulk_update(changed, ["fulfilled"], batch_size=200)
    return sorted(units.items(), key=lambda pair: pair[0].pk)


def _order_shipped(order: Order, actor: str) -> None:
    order.become(Order.Status.SHIPPED, shipped_at=timezone.now())
    emit(events.ORDER_SHIPPED, order, actor=actor, order_number=order.order_number)


@requires("orders:edit")
@transaction.atomic
def fulfillment_deliver(fulfillment: Fulfillment, *, actor: str) -> Fulfillment:
    """The parcel arrived; with the last one the order is delivered. Raises TransitionNotAllowed."""
    order = locked(fulfillment.order)
    fulfillment.become(Fulfillment.Status.DELIVERED, delivered_at=timezone.now())
    emit(events.FULFILLMENT_DELIVERED, fulfillment, actor=actor, **_facts(fulfillment))
    waiting = Situation(order).fulfillments
    if order.status == Order.Status.SHIPPED and all(
        parcel.status == Fulfillment.Status.DELIVERED for parcel in waiting
    ):
        order_delivered(order, actor=actor)
    return fulfillment


@transaction.atomic
def order_complete_services(order: Order, *, actor: str) -> Order:
    """An order of services alone has no parcel: paid and invoiced, it is done."""
    order = locked(order)
    _start_processing(order, actor)
    _order_shipped(order, actor)
    order_refresh(order, actor=actor)
    return order_delivered(order, actor=actor)


@transaction.atomic
def order_delivered(order: Order, *, actor: str) -> Order:
    """Everything arrived: the purchase goes into the customer's ledger."""
    order.become(Order.Status.DELIVERED, delivered_at=timezone.now())
    if order.customer is not None:
        purchase_record(
            order.customer,
            order_number=order.order_number,
            amount=order.total,
            currency=order.currency,
            at=order.placed_at,
            actor=actor,
        )
    sold = [(item.variant, item.fulfilled) for item in Situation(order).items if item.variant]
    sales_record(order_number=order.order_number, lines=sold, actor=actor)
    emit(events.ORDER_DELIVERED, order, actor=actor, order_number=order.order_number)
    return order


@requires("orders:edit")
@transaction.atomic
def fulfillment_fail(fulfillment: Fulfillment, *, reason: str, actor: str) -> Fulfillment:
    """The parcel is lost or back at the sender; a person decides what follows."""
    fulfillment.become(Fulfillment.Status.FAILED)
    facts = {**_facts(fulfillment), "reason": reason}
    emit(events.FULFILLMENT_FAILED, fulfillment, actor=actor, **facts)
    return fulfillment


@requires("orders:edit")
@transaction.atomic
def fulfillment_cancel(fulfillment: Fulfillment, *, reason: str = "", actor: str) -> Fulfillment:
    """Take a parcel apart before the carrier has it; its units stay reserved for the order.

    Raises TransitionNotAllowed once it is shipped or the carrier scanned it.
    """
    order = locked(fulfillment.order)
    shipment_void(subject=fulfillment.subject, actor=actor)
    with suppress(TransitionNotAllowed):  # a packed pick has ended; its parcel is unpacked by hand
        pick_cancel(subject=fulfillment.subject, actor=actor)
    fulfillment.become(Fulfillment.Status.CANCELLED)
    facts = {"order_number": order.order_number, "reason": reason}
    emit(events.FULFILLMENT_CANCELLED, fulfillment, actor=actor, **facts)
    return fulfillment


def _facts(fulfillment: Fulfillment) -> dict[str, str]:
    return {"order_number": fulfillment.order.order_number}
