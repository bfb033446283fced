"""One client's place in the log: what it has seen, and what comes next for it."""

import asyncio
from collections import deque
from typing import NamedTuple

from django.db.models import Q

from messaging import log
from messaging.cursor import Cursor, CursorExpired
from messaging.streams.tail import CHUNK, Entry, Tail
from messaging.streams.threads import in_thread

BATCH_BYTES = 32 * 1024  # of events that a reader behind the tail holds for itself
FIRST_LOOK = 8  # events; how large they are is known after it


class Batch(NamedTuple):
    """The next events and the place after them."""

    entries: deque[Entry]
    cursor: Cursor


class Resync(Exception):
    """Events after the reader's place are gone; it goes on at the head."""

    def __init__(self, error: CursorExpired) -> None:
        super().__init__(error.detail)
        self.detail, self.facts = error.detail, error.facts


class Reader:
    """A place and no buffer: who is slow costs nothing, and reads the log itself when behind."""

    def __init__(self, tail: Tail, place: Cursor) -> None:
        self.tail = tail
        self.place = place
        self._limit = FIRST_LOOK
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Nobody waits for this reader any more; another one goes on elsewhere."""
        if not self._ended.done():
            self._ended.set_result(None)

    async def next(self, where: Q, timeout_s: float) -> Batch:
        """The events after the place, or an empty batch when nothing came within the time.

        `where` spares reading the log in vain; events from the tail come unfiltered. Raises Resync.
        """
        head = self.tail.head
        if head is not None and self.place.epoch == head.epoch:
            entries = self.tail.after(self.place.seq)
            if entries:
                return Batch(deque(entries), Cursor(head.epoch, entries[-1].seq))
            if entries is not None:
                await self.tail.changed(timeout_s, unless=self._ended)
                return Batch(deque(), self.place)
        try:
            page = await in_thread(log.page, self.place, where, limit=self._limit)
        except CursorExpired as error:
            raise Resync(error) from error
        head = self.tail.head
        if page.cursor == self.place and (head is None or head.seq <= self.place.seq):
            await self.tail.changed(timeout_s, unless=self._ended)
        return self._batch(page)

    def _batch(self, page: log.Page) -> Batch:
        """What of a page is taken at once: of large events a few, and fewer are read next time."""
        entries: deque[Entry] = deque()
        size = 0
        for event in page.events:
            entry = Entry(event)
            entries.append(entry)
            size += len(entry.body)
            if size >= BATCH_BYTES:
                self._limit = len(entries)
                return Batch(entries, page.cursor._replace(seq=entry.seq))
        self._limit = min(CHUNK, 2 * self._limit)
        return Batch(entries, page.cursor)
