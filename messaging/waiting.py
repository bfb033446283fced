"""Wait a moment for what somebody else is about to write."""

import time
from collections.abc import Callable

from django.db import connection

from messaging import bell

LOOK_EVERY_S = 0.5


def wait_until(is_done: Callable[[], bool], *, timeout_s: float) -> bool:
    """Whether `is_done` became true in time, asked whenever an event is heard.

    For edges, after their commit: inside a transaction it looks once and does not wait. While it
    waits it holds no database connection.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        rings = bell.count(bell.EVENTS)
        if is_done():
            return True
        left = deadline - time.monotonic()
        if left <= 0 or connection.in_atomic_block:
            return False
        connection.close()
        bell.wait_in_thread(bell.EVENTS, min(left, LOOK_EVERY_S), rings)
