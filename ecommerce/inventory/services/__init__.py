"""Every write to stock: promise it, move it, count it."""

from ecommerce.inventory.refusals import NotReserved, OutOfStock
from ecommerce.inventory.services.reservations import (
    reservation_expire,
    stock_firm,
    stock_release,
    stock_reserve,
    stock_ship,
    subjects_overdue,
)
from ecommerce.inventory.services.shelves import (
    level_change,
    opening_stock,
    stock_adjust,
    stock_count,
    stock_receive,
    stock_receive_many,
    stock_transfer,
)

__all__ = [
    "NotReserved",
    "OutOfStock",
    "level_change",
    "opening_stock",
    "reservation_expire",
    "stock_adjust",
    "stock_count",
    "stock_firm",
    "stock_receive",
    "stock_receive_many",
    "stock_release",
    "stock_reserve",
    "stock_ship",
    "stock_transfer",
    "subjects_overdue",
]
