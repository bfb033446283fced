"""Server-Sent Events from the log: `id:` is the cursor, so `Last-Event-ID` resumes."""

import asyncio
from collections.abc import AsyncIterator, Callable

from django.db import DatabaseError
from django.db.models import Q

from messaging import bell, connections
from messaging.cursor import Cursor
from messaging.models import Event
from messaging.streams.reader import Reader, Resync
from messaging.streams.socket import BOOKMARK_EVERY_S, RECHECK_EVERY_S
from messaging.streams.tail import shared_tail
from messaging.streams.threads import in_thread
from platform_site.common import json


async def event_lines(
    place: Cursor,
    where: Q,
    *,
    takes: Callable[[Event], bool],
    is_admitted: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """The stream after `place`; ends when the credential or the process does, or at a gap."""
    clock = asyncio.get_running_loop().time
    recheck_at, bookmark_at = clock() + RECHECK_EVERY_S, clock() + BOOKMARK_EVERY_S
    with connections.connected():
        async with shared_tail() as tail:
            reader = Reader(tail, place)
            yield _line("bookmark", str(place), {"cursor": str(place)})
            while clock() < recheck_at or await in_thread(is_admitted):
                if bell.is_over():
                    return
                if clock() >= recheck_at:
                    recheck_at = clock() + RECHECK_EVERY_S
                try:
                    batch = await reader.next(where, BOOKMARK_EVERY_S)
                except Resync as error:
                    yield _line("resync_required", "", {"detail": error.detail, **error.facts})
                    return
                except DatabaseError:
                    await asyncio.sleep(1)
                    continue
                sent = [entry.line() for entry in batch.entries if takes(entry.event)]
                reader.place = batch.cursor
                if sent:
                    yield b"".join(sent)
                if clock() >= bookmark_at:
                    bookmark_at = clock() + BOOKMARK_EVERY_S
                    yield _line("bookmark", str(reader.place), {"cursor": str(reader.place)})


def _line(event: str, cursor: str, data: dict[str, object]) -> bytes:
    identity = f"id: {cursor}\n" if cursor else ""
    return f"event: {event}\n{identity}data: ".encode() + json.dumps(data) + b"\n\n"
