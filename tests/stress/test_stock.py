"""Races for stock: what is there is sold exactly once, and every unit is accounted for."""

import os
import time
from threading import Barrier

import pytest

from ecommerce.inventory.models import StockLevel
from ecommerce.inventory.reconcile import differences
from ecommerce.inventory.refusals import OutOfStock
from ecommerce.inventory.services import stock_adjust, stock_release, stock_reserve, stock_transfer
from tests.factories.inventory import make_stock, make_warehouse
from tests.stress.threads import at_once, of_kind

pytestmark = [pytest.mark.stress, pytest.mark.django_db(transaction=True)]

ADJUSTMENTS = 400 if os.environ.get("STRESS") == "full" else 100
ROUNDS = 20 if os.environ.get("STRESS") == "full" else 2


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_ten_threads_sell_exactly_what_is_there(round_number):
    """Oversold under concurrency: https://github.com/vendurehq/vendure/issues/3508."""
    level = make_stock(quantity=50)

    def buy(thread):
        sold = 0
        for order in range(10):
            try:
                stock_reserve(
                    subject=f"orders.order:{thread}-{order}",
                    lines=[(level.variant, 1)],
                    expires_at=None,
                    actor="orders",
                )
                sold += 1
            except OutOfStock:
                pass
        return sold

    sold = at_once(10, buy)

    assert sum(sold) == 50
    level.refresh_from_db()
    assert (level.on_hand, level.reserved) == (50, 50)
    assert differences() == []


def test_without_the_guard_the_same_race_oversells():
    """The test above can fail: this is what it would see if stock were checked and then written."""
    level = make_stock(quantity=1)
    everybody_has_looked = Barrier(10)

    def buy(thread):
        seen = StockLevel.objects.get(pk=level.pk)
        is_there = seen.available >= 1
        everybody_has_looked.wait(timeout=30)
        if is_there:
            StockLevel.objects.filter(pk=level.pk).update(reserved=seen.reserved + 1)
        return is_there

    assert sum(at_once(10, buy)) == 10


def test_parallel_adjustments_by_one_add_up():
    """Forty parallel adjustments by one gave eleven in the system before this one."""
    level = make_stock(quantity=0)

    def adjust(thread):
        for _ in range(ADJUSTMENTS // 10):
            stock_adjust(
                variant=level.variant,
                warehouse=level.warehouse,
                change=1,
                reason="found",
                actor=f"clerk-{thread}",
            )

    assert at_once(10, adjust) == [None] * 10

    level.refresh_from_db()
    assert level.on_hand == ADJUSTMENTS
    assert differences() == []


def test_orders_for_the_same_goods_in_any_order_wait_for_each_other_and_none_fails():
    """Two lines the other way round would deadlock if levels were not updated in id order."""
    first, second = make_stock(quantity=500), make_stock(quantity=500)
    other = make_warehouse("north")

    def work(thread):
        lines = [(first.variant, 1), (second.variant, 2)]
        for order in range(6):
            subject = f"orders.order:{thread}-{order}"
            stock_reserve(
                subject=subject,
                lines=lines if thread % 2 else lines[::-1],
                expires_at=None,
                actor="orders",
            )
            if order % 2:
                stock_release(subject=subject, actor="orders")
            if thread == 0:
                stock_transfer(
                    variant=first.variant,
                    source=first.warehouse,
                    target=other,
                    quantity=1,
                    actor="clerk",
                )

    started = time.monotonic()
    results = at_once(8, work)

    assert results == [None] * 8, of_kind(results, Exception)
    assert time.monotonic() - started < 60
    first.refresh_from_db()
    second.refresh_from_db()
    assert second.reserved == 8 * 3 * 2
    assert differences() == []
