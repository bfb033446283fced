"""Every write of the orders domain."""

from ecommerce.orders.services.advancing import Progress, order_advance
from ecommerce.orders.services.cancelling import order_cancel, order_expire
from ecommerce.orders.services.changing import note_add, order_change, order_set_status
from ecommerce.orders.services.codes import service_code_set
from ecommerce.orders.services.fulfilling import (
    fulfillment_cancel,
    fulfillment_create,
    fulfillment_deliver,
    fulfillment_fail,
    fulfillment_pack,
    fulfillment_pick,
    fulfillment_ship,
)
from ecommerce.orders.services.holding import (
    hold_assign,
    hold_release,
    order_hold,
    order_release,
)
from ecommerce.orders.services.paying import order_pay
from ecommerce.orders.services.placing import order_place
from ecommerce.orders.services.states import order_confirm, order_refresh

__all__ = [
    "Progress",
    "fulfillment_cancel",
    "fulfillment_create",
    "fulfillment_deliver",
    "fulfillment_fail",
    "fulfillment_pack",
    "fulfillment_pick",
    "fulfillment_ship",
    "hold_assign",
    "hold_release",
    "note_add",
    "order_advance",
    "order_cancel",
    "order_change",
    "order_confirm",
    "order_expire",
    "order_hold",
    "order_pay",
    "order_place",
    "order_refresh",
    "order_release",
    "order_set_status",
    "service_code_set",
]
