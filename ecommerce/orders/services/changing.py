"""What people change on an order: remarks, notes, and its status in the clients' words."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from ecommerce.orders import events
from ecommerce.orders.models import Fulfillment, Order, OrderNote
from ecommerce.orders.services.advancing import order_advance
from ecommerce.orders.services.cancelling import order_cancel
from ecommerce.orders.services.fulfilling import fulfillment_deliver, fulfillment_ship
from ecommerce.orders.services.locking import locked, write
from ecommerce.orders.services.states import order_confirm
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal, StaleState, TransitionNotAllowed


class RefundAPayment(Refusal):
    """Money goes back by a payment, not by a word on the order."""

    code = "refund_a_payment"


CHANGEABLE = ("notes", "customer_notes", "metadata")


@requires("orders:edit")
@transaction.atomic
def order_change(
    order: Order, *, seen_version: int | None = None, actor: str, **changes: Any
) -> Order:
    """Change remarks and metadata. Raises Invalid, and StaleState for an old version."""
    unknown = sorted(set(changes) - set(CHANGEABLE))
    if unknown:
        raise Invalid(f"{unknown[0]} of an order cannot be changed here.", field=unknown[0])
    order = locked(order)
    if seen_version not in (None, order.version):
        raise StaleState(f"{order} was changed by somebody else meanwhile; read it again.")
    changed = {name: value for name, value in changes.items() if getattr(order, name) != value}
    if changed:
        differences = {name: [getattr(order, name), value] for name, value in changed.items()}
        write(order, **changed)
        facts = {"order_number": order.order_number, "changes": differences}
        emit(events.ORDER_CHANGED, order, actor=actor, **facts)
    return order


@requires("orders:edit")
@transaction.atomic
def note_add(
    order: Order, *, text: str, visible_to_customer: bool = False, actor: str
) -> OrderNote:
    """Write a remark on the order."""
    note = OrderNote.objects.create(
        order=order, text=text, author=actor, visible_to_customer=visible_to_customer
    )
    facts = {"note_id": note.pk, "visible_to_customer": visible_to_customer}
    emit(events.ORDER_NOTED, order, actor=actor, order_number=order.order_number, **facts)
    return note


@requires("orders:edit")
@transaction.atomic
def order_set_status(order: Order, *, status: str, actor: str) -> Order:
    """Lead the order to a client's status word by the service that goes there.

    The word that it has already changes nothing. Raises Invalid for an unknown word,
    TransitionNotAllowed and the refusals of the services.
    """
    order = locked(order)
    lead = _LEADS.get(status)
    if lead is None and status not in ("pending", "refunded"):
        words = ", ".join(("pending", *_LEADS, "refunded"))
        raise Invalid(f"{status!r} is no status of an order; take one of {words}.", field="status")
    if status == order.status:
        return order
    if status == "refunded":
        raise RefundAPayment(
            "An order is refunded by refunding its payment: POST /api/payments/{id}/refund."
        )
    if lead is None:
        return order.become(status)  # always refused, with the words of the table
    lead(order, actor)
    order.refresh_from_db()
    return order


def _confirm(order: Order, actor: str) -> None:
    order_confirm(order, actor=actor)
    order_advance(order, actor=actor)


def _cancel(order: Order, actor: str) -> None:
    order_cancel(order, actor=actor)


def _process(order: Order, actor: str) -> None:
    _require(order, Order.Status.PROCESSING)
    order_advance(order, actor=actor)
    order.refresh_from_db()
    if order.status != Order.Status.PROCESSING:
        raise Refusal(f"{order} is {order.status}; its parcels cannot be started yet.")


def _ship(order: Order, actor: str) -> None:
    _require(order, Order.Status.SHIPPED)
    parcels = list(order.fulfillments.exclude(status=Fulfillment.Status.CANCELLED))
    if any(parcel.status in (Fulfillment.Status.PENDING, "picking") for parcel in parcels):
        raise Refusal(f"{order} has a parcel that is not packed yet.")
    for parcel in parcels:
        if parcel.status == Fulfillment.Status.PACKED:
            fulfillment_ship(parcel, actor=actor)


def _deliver(order: Order, actor: str) -> None:
    _require(order, Order.Status.DELIVERED)
    for parcel in order.fulfillments.filter(status=Fulfillment.Status.SHIPPED):
        fulfillment_deliver(parcel, actor=actor)


def _require(order: Order, status: str) -> None:
    """The table's own refusal for a move that no service could make."""
    allowed = sorted(order.TRANSITIONS[order.status])
    if status not in order.TRANSITIONS[order.status]:
        could = f"it can become {', '.join(allowed)}" if allowed else "which is final"
        raise TransitionNotAllowed(
            f"{order} is {order.status}; {could}, not {status}.",
            **{"from": order.status, "to": str(status), "allowed": allowed},
        )


_LEADS: dict[str, Callable[[Order, str], None]] = {
    "confirmed": _confirm,
    "processing": _process,
    "shipped": _ship,
    "delivered": _deliver,
    "cancelled": _cancel,
}
