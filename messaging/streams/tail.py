"""The newest events of the log, read once per ring for all streams of the process."""

import asyncio
import logging
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError
from django.db.models import Q

from messaging import bell, log, metrics
from messaging.cursor import Cursor, CursorExpired
from messaging.models import Event
from messaging.streams.threads import in_tail_thread, in_thread
from messaging.topics import spoken
from platform_site.common import json

logger = logging.getLogger(__name__)
KEPT = 1000  # events; a reader further behind pages through the log instead
KEPT_BYTES = 2 * 1024 * 1024  # of JSON
CHUNK = 100
LOOK_EVERY_S = 2.0  # a ring may get lost
SNAPSHOT_EVERY_S = 10.0


class Entry:
    """An event on its way to clients; what all of them get alike is written once."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.seq: int = event.seq or 0
        self.cursor = f"{event.epoch}:{event.seq}"
        self.body = json.dumps(_told(event))

    def frame(self, name: str) -> bytes:
        """The event as a WebSocket client gets it that subscribed by this name."""
        return b'{"type":%b,"data":%b,"timestamp":"%b","cursor":"%b"}' % (
            json.dumps(name),
            self.body,
            (json.instant(self.event.created_at) or "").encode(),
            self.cursor.encode(),
        )

    def line(self) -> bytes:
        """The event as Server-Sent Events carry it."""
        body = json.dumps(log.event_dict(self.event))
        return b"id: %b\ndata: %b\n\n" % (self.cursor.encode(), body)


def _told(event: Event) -> dict[str, Any]:
    """The facts of the event, its entity (`task_id`) and its envelope."""
    return {
        f"{event.entity_type}_id": event.entity_id,
        **event.data,
        "event": spoken(event.type),
        "event_id": event.pk,
        "entity_type": event.entity_type,
        "entity_id": event.entity_id,
        "entity_version": event.entity_version,
        "seq": event.seq,
        "actor": event.actor,
        "trace_id": event.trace_id,
        "causation_id": event.causation_id,
    }


class Tail:
    """The last events in memory, for readers that keep up; runs while there are any."""

    def __init__(self) -> None:
        self.head: Cursor | None = None
        self.snapshot: dict[str, Any] | None = None  # unlogged, newest only
        self._entries: deque[Entry] = deque()
        self._size = 0
        self._readers = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> "Tail":
        self._readers += 1
        if self._readers == 1:
            follow, measure = (
                asyncio.create_task(self._follow()),
                asyncio.create_task(self._measure()),
            )
            self._tasks = [follow, measure]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._readers -= 1
        if self._readers:
            return
        for task in self._tasks:
            task.cancel()
        self.head = self.snapshot = None
        self._forget()

    def after(self, seq: int) -> list[Entry] | None:
        """The next events after a number, or None where the log itself has to be read."""
        if self.head is None or not self._entries or seq < self._entries[0].seq - 1:
            return None if self.head is None or seq < self.head.seq else []
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.seq <= seq:
                break
            found.append(entry)
        found.reverse()
        return found[:CHUNK]

    async def changed(self, timeout_s: float, *, unless: "asyncio.Future[None]") -> None:
        """Wait for something new, but no longer than the time given or until `unless` is done."""
        waits = {self._changed, unless}
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    async def _follow(self) -> None:
        while True:
            rings = bell.count(bell.EVENTS)
            try:
                await self._look()
            except DatabaseError as error:
                logger.warning("The log cannot be read at the moment: %s", error)
            await bell.wait(bell.EVENTS, LOOK_EVERY_S, since=rings)
            if bell.is_over():
                self._wake()

    async def _look(self) -> None:
        if self.head is None:
            self._move([], await in_tail_thread(log.head))
        while True:
            assert self.head is not None  # noqa: S101 (for the type checker)
            try:
                page = await in_tail_thread(log.page, self.head, Q(), limit=CHUNK)
            except CursorExpired:
                self._forget()
                self._move([], await in_tail_thread(log.head))
                return
            self._move([Entry(event) for event in page.events], page.cursor)
            if len(page.events) < CHUNK:
                return

    async def _measure(self) -> None:
        while True:
            try:
                self.snapshot = await in_thread(metrics.snapshot)
                self._wake()
            except DatabaseError as error:
                logger.warning("The figures cannot be read at the moment: %s", error)
            await asyncio.sleep(SNAPSHOT_EVERY_S)

    def _move(self, entries: list[Entry], head: Cursor) -> None:
        moved = bool(entries) or head != self.head
        self._keep(entries)
        self.head = head
        if moved:
            self._wake()

    def _keep(self, entries: list[Entry]) -> None:
        self._entries.extend(entries)
        self._size += sum(len(entry.body) for entry in entries)
        while len(self._entries) > KEPT or self._size > KEPT_BYTES:
            self._size -= len(self._entries.popleft().body)

    def _forget(self) -> None:
        self._entries.clear()
        self._size = 0

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.get_running_loop().create_future()
        if not changed.done():
            changed.set_result(None)


_tails: "WeakKeyDictionary[asyncio.AbstractEventLoop, Tail]" = WeakKeyDictionary()


def shared_tail() -> Tail:
    """The one tail of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _tails:
        _tails[loop] = Tail()
    return _tails[loop]
