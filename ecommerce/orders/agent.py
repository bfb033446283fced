"""What the order agent does by itself: it hears of an order, looks at its rows and goes on."""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from ecommerce.carriers import events as carriers
from ecommerce.fraud import events as fraud
from ecommerce.inventory import events as inventory
from ecommerce.orders import events
from ecommerce.orders.models import Order
from ecommerce.orders.services import order_advance
from ecommerce.payments import events as payments
from ecommerce.warehouses import events as warehouses
from platform_site.common.context import causation_id, trace_id, tracing
from tasks.handlers import handles
from tasks.ticks import tick

log = logging.getLogger(__name__)
ACTOR = "agent:order_agent_v3"
SWEEP_AT_ONCE = 200
UNTOUCHED_FOR = timedelta(minutes=1)

# Event -> the name of the task. All of them do the same: a lost or doubled event changes nothing.
WAKES = {
    fraud.ASSESSMENT_DECIDED: "orders.follow_assessment",
    fraud.FRAUD_CASE_APPROVED: "orders.follow_approval",
    fraud.FRAUD_CASE_REJECTED: "orders.follow_rejection",
    payments.PAYMENT_AUTHORIZED: "orders.follow_authorization",
    payments.PAYMENT_CAPTURED: "orders.follow_capture",
    payments.PAYMENT_FAILED: "orders.follow_decline",
    payments.PAYMENT_CAPTURE_FAILED: "orders.follow_capture_failure",
    payments.PAYMENT_EXPIRED: "orders.follow_payment_expiry",
    payments.PAYMENT_CANCELLED: "orders.follow_payment_cancel",
    payments.PAYMENT_VOIDED: "orders.follow_void",
    payments.PAYMENT_REFUNDED: "orders.follow_refund",
    warehouses.PICK_COMPLETED: "orders.follow_pick",
    warehouses.PICK_SHORT: "orders.follow_short_pick",
    warehouses.PACK_COMPLETED: "orders.follow_pack",
    carriers.SHIPMENT_LABELLED: "orders.follow_label",
    carriers.SHIPMENT_LABEL_FAILED: "orders.follow_label_failure",
    carriers.SHIPMENT_IN_TRANSIT: "orders.follow_scan",
    carriers.SHIPMENT_DELIVERED: "orders.follow_delivery",
    carriers.SHIPMENT_FAILED: "orders.follow_loss",
    inventory.RESERVATION_EXPIRED: "orders.follow_reservation_expiry",
    events.HOLD_RELEASED: "orders.follow_release",
}


def advance(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Take every step that is due for the order that the event is about."""
    order = _order_of(event)
    if order is None:
        return {"skipped": "no order of ours"}
    # A step moves the order on along its table, so it cannot come round: the chain of causes, which
    # may have sixteen links, begins anew. The trace goes on.
    with tracing(trace_id.get(), cause=causation_id.get(), depth=0):
        progress = order_advance(order, actor=actor)
    result = {"order_number": order.order_number, "status": progress.order.status}
    if not progress.steps:
        return {**result, "skipped": "nothing is due"}
    return {**result, "steps": progress.steps}


for _event, _name in WAKES.items():
    handles(on=_event, name=_name)(advance)


def _order_of(event: dict[str, Any]) -> Order | None:
    data = event["data"]
    if number := data.get("order_number"):
        return Order.objects.filter(order_number=number).first()
    kind, _, key = str(data.get("subject", "")).partition(":")
    return Order.objects.filter(pk=int(key)).first() if kind == "orders.order" else None


@tick(every_s=30)
def sweep() -> int:
    """Look at open orders that nothing happened to for a while: what a lost event left behind.

    Ends unpaid orders and holds unassessed ones, too. Returns how many orders went on.
    """
    now = timezone.now()
    quiet = Order.objects.filter(status__in=Order.OPEN, updated_at__lt=now - UNTOUCHED_FOR).filter(
        Q(looked_at=None) | Q(looked_at__lt=now - UNTOUCHED_FOR)
    )
    moved = 0
    for order in quiet.order_by(F("looked_at").asc(nulls_first=True), "pk")[:SWEEP_AT_ONCE]:
        Order.objects.filter(pk=order.pk).update(looked_at=now)
        try:
            moved += bool(order_advance(order, actor=ACTOR).steps)
        except Exception:  # one order that is stuck must not strand the others
            log.exception("The sweeper could not advance %s", order)
    return moved
