"""The bell: wakes whoever waits for something new, here and, through Redis, in other processes.

It carries no data and promises nothing: who is woken looks at the tables, and looks there every few
seconds anyway. So a lost ring costs a moment and never an event.
"""

import asyncio
import threading
from functools import partial

from django.db import transaction

from messaging.relay import Relay

EVENTS = "events"
TASKS = "tasks"


class _Topic:
    """The waiters for one topic, threads and coroutines of any loop."""

    def __init__(self) -> None:
        self.rings = 0
        self.condition = threading.Condition()
        self.futures: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        with self.condition:
            self.rings += 1
            self.condition.notify_all()
            futures, self.futures = self.futures, set()
        for future in futures:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)


_topics = {EVENTS: _Topic(), TASKS: _Topic()}
_stopping = threading.Event()


def ring_after_commit(topic: str) -> None:
    """Ring once the running transaction is committed; at once outside of one."""
    transaction.on_commit(partial(ring, topic), robust=True)


def ring(topic: str) -> None:
    """Wake all who wait for the topic, here and elsewhere. Never blocks, never fails."""
    _topics[topic].ring()
    _relay.publish(topic)


def count(topic: str) -> int:
    """How often the bell rang.

    Taken before looking at the tables and given to a wait as `since`, it closes the gap between
    looking and waiting.
    """
    return _topics[topic].rings


def wait_in_thread(topic: str, timeout_s: float, since: int | None = None) -> bool:
    """Block this thread until the bell rings; False if it did not within the time."""
    _relay.start()
    bell = _topics[topic]
    with bell.condition:
        seen = bell.rings if since is None else since
        return bell.condition.wait_for(lambda: bell.rings != seen, timeout_s)


def end_waits() -> None:
    """The process stops: wake all who wait here, and let no answer wait any longer."""
    _stopping.set()
    for topic in _topics.values():
        topic.ring()


def is_over() -> bool:
    """Whether the process stops: answers are given now, streams end."""
    return _stopping.is_set()


async def wait(topic: str, timeout_s: float, since: int | None = None) -> bool:
    """Wait without a thread until the bell rings; False if it did not within the time."""
    _relay.start()
    bell = _topics[topic]
    future = asyncio.get_running_loop().create_future()
    with bell.condition:
        if since is not None and bell.rings != since:
            return True
        bell.futures.add(future)
    try:
        await asyncio.wait_for(future, timeout_s)
    except TimeoutError:
        return False
    finally:
        with bell.condition:
            bell.futures.discard(future)
    return True


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _ring_here(topic: str) -> None:
    if topic in _topics:
        _topics[topic].ring()


_relay = Relay(_ring_here)
