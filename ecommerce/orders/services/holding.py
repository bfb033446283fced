"""Holds: rows that stop an order until a person, or the cause that went away, releases them."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ecommerce.fraud.models import FraudCase
from ecommerce.fraud.services import case_decide
from ecommerce.orders import events
from ecommerce.orders.models import Order, OrderHold
from ecommerce.orders.services.locking import locked
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal

PAYMENT_WINDOW = timedelta(minutes=30)


class NotHeld(Refusal):
    """The hold is released already, or there never was one."""

    code = "not_held"


@requires("orders:edit")
@transaction.atomic
def order_hold(
    order: Order, *, reason: str = OrderHold.Reason.MANUAL, note: str = "", actor: str
) -> OrderHold:
    """Stop the order for a reason; a second hold for the same reason is the first one.

    Raises Invalid for an unknown reason, Refusal once nothing is left to stop.
    """
    if reason not in OrderHold.Reason.values:
        words = ", ".join(OrderHold.Reason.values)
        raise Invalid(f"{reason!r} is no reason for a hold; take one of {words}.", field="reason")
    order = locked(order)
    if order.status not in Order.OPEN or order.status == Order.Status.SHIPPED:
        raise Refusal(f"{order} is {order.status}; there is nothing left to hold.")
    hold, is_new = OrderHold.objects.get_or_create(
        order=order,
        reason=reason,
        released_at=None,
        defaults={"note": note[:500], "placed_by": actor},
    )
    if is_new:
        facts = {"order_number": order.order_number, "hold_id": hold.pk, "reason": reason}
        emit(events.ORDER_HELD, order, actor=actor, **facts, note=hold.note)
    return hold


@requires("orders:edit")
@transaction.atomic
def hold_release(hold: OrderHold, *, note: str = "", actor: str) -> OrderHold:
    """Let the order go on as far as this hold is concerned. Raises NotHeld."""
    order = locked(hold.order)
    now = timezone.now()
    changed = OrderHold.objects.filter(pk=hold.pk, released_at=None).update(
        released_at=now, released_by=actor, release_note=note[:500], updated_at=now
    )
    hold.refresh_from_db()
    if not changed:
        raise NotHeld(f"{hold} was released by {hold.released_by} already.")
    if order.status == Order.Status.PENDING and order.expires_at and order.expires_at < now:
        # The window was over while the order was held; its customer gets a new one.
        Order.objects.filter(pk=order.pk).update(expires_at=now + PAYMENT_WINDOW, updated_at=now)
    if hold.reason == OrderHold.Reason.FRAUD:
        _close_case(order, note, actor)
    facts = {"order_number": order.order_number, "hold_id": hold.pk, "reason": hold.reason}
    emit(events.HOLD_RELEASED, order, actor=actor, **facts)
    return hold


def _close_case(order: Order, note: str, actor: str) -> None:
    """Who releases the hold has decided the fraud case too."""
    undecided = FraudCase.objects.filter(subject=order.subject, status__in=FraudCase.UNDECIDED)
    for case in undecided:
        case_decide(case, decision="approved", reason=note or "The hold was released.", actor=actor)


@requires("orders:edit")
@transaction.atomic
def order_release(order: Order, *, reason: str = "", note: str = "", actor: str) -> Order:
    """Release the order's active holds, or just the one for `reason`. Raises NotHeld."""
    active = order.holds.filter(released_at=None)
    held = list(active.filter(reason=reason) if reason else active)
    if not held:
        raise NotHeld(f"{order} has no active hold{f' for {reason}' if reason else ''}.")
    for hold in held:
        hold_release(hold, note=note, actor=actor)
    order.refresh_from_db()
    return order


@requires("orders:edit")
@transaction.atomic
def hold_assign(hold: OrderHold, *, owner: str, actor: str) -> OrderHold:
    """Say who looks into a hold; an empty owner gives it back to everybody. Raises NotHeld."""
    order = locked(hold.order)
    now = timezone.now()
    active = OrderHold.objects.filter(pk=hold.pk, released_at=None)
    old = hold.owner
    if not active.update(owner=owner[:220], updated_at=now):
        raise NotHeld(f"{hold} is released already.")
    hold.refresh_from_db()
    changes = {f"hold.{hold.reason}.owner": [old, hold.owner]}
    emit(events.ORDER_CHANGED, order, actor=actor, order_number=order.order_number, changes=changes)
    return hold
