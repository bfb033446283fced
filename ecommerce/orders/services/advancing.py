"""`order_advance`: the one function that moves orders on, whatever woke it."""

from dataclasses import dataclass, field

from django.db import transaction

from ecommerce.orders.models import Order
from ecommerce.orders.services.after import AFTER_CONFIRMATION
from ecommerce.orders.services.before import BEFORE_CONFIRMATION
from ecommerce.orders.services.cancelling import undo
from ecommerce.orders.services.locking import locked
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.states import order_refresh

ENDED = (Order.Status.CANCELLED, Order.Status.EXPIRED)


@dataclass
class Progress:
    """What one look at an order led to."""

    order: Order
    steps: list[str] = field(default_factory=list)


@transaction.atomic
def order_advance(order: Order, *, actor: str) -> Progress:
    """Look at the order's rows and take every due step, under the order's lock.

    Any event may call it, twice or in any order, and so does the sweeper: a lost event delays an
    order and never strands it. A step changes the rows, so it is not due a second time.
    """
    order = locked(order)
    progress, now = Progress(order), Situation(order)
    order_refresh(order, now=now, actor=actor)
    if order.status in ENDED:
        # A payment or a label that was under way when the order ended may have come through since.
        undo(order, reason="The order had ended.", actor=actor)
        return progress
    while step := _next_step(now, actor):
        progress.steps.append(step)
        order.refresh_from_db()
        now = now.reread()
    return progress


def _next_step(now: Situation, actor: str) -> str:
    is_pending = now.order.status == Order.Status.PENDING
    steps = BEFORE_CONFIRMATION if is_pending else AFTER_CONFIRMATION
    return next((done for step in steps if (done := step(now, actor=actor))), "")
