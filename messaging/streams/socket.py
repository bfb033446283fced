"""A WebSocket that reads the log: admission, limits, slow readers; the words are its subclass's."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from messaging import connections
from messaging.cursor import Cursor, head, resume
from messaging.models import Event
from messaging.streams.handshake import Admission, Refused, admit
from messaging.streams.reader import Batch, Reader, Resync
from messaging.streams.tail import Entry, shared_tail
from messaging.streams.threads import in_thread
from messaging.topics import SECURITY
from platform_site.common import json
from platform_site.common.errors import Refusal, Unavailable

Message = dict[str, Any]
STALLED_AFTER_S = 60.0
CLOSE_WITHIN_S = 5.0
FORGET_AFTER_S = 1.0
BOOKMARK_EVERY_S = 15.0
RECHECK_EVERY_S = 60.0
MAX_FRAME = 1024 * 1024
RATE, BURST = 50.0, 200.0  # frames a second that a client may send, and how many at once
STALLED, SIGNED_OUT, POLICY, TOO_BIG, TRY_LATER = 4408, 4401, 1008, 1009, 1013


class Closed(Exception):
    """The socket ends; with a code if it is we who end it."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Socket:
    """One connection: a task that hears the client and one that tells it what happened."""

    snapshot_url: ClassVar[str] = "/api/v1/tasks"
    reader: Reader
    admission: Admission

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.speaking = asyncio.Lock()  # one frame at a time, and no change of subscriptions amidst
        self._allowance = BURST
        self._heard_at = self._now()
        self._bookmark_at = self._now() + BOOKMARK_EVERY_S
        self._recheck_at = self._now() + RECHECK_EVERY_S
        self._snapshot_sent: object = None

    @classmethod
    def as_asgi(cls) -> Callable[[Message, Any, Any], Awaitable[None]]:
        """The ASGI application that serves one such socket for each connection."""

        async def application(scope: Message, receive: Any, send: Any) -> None:
            await cls(scope, receive, send).run()

        return application

    # What a subclass says ------------------------------------------------------------------------
    async def on_frame(self, frame: Message) -> None:
        """Answer a frame of the client. Runs while nothing else is sent."""
        raise NotImplementedError

    def where(self) -> Q:
        """Which events to look for in the log."""
        raise NotImplementedError

    def frames_of(self, entry: Entry) -> list[bytes]:
        """What the client is told of an event; nothing where it did not ask."""
        raise NotImplementedError

    def frames_of_snapshot(self, figures: Message) -> list[bytes]:
        """What the client is told of the figures of the moment."""
        return []

    # The connection ------------------------------------------------------------------------------
    async def run(self) -> None:
        """From the handshake to the end."""
        await self._receive()
        try:
            self.admission = await in_thread(admit, self.scope)
            place = await in_thread(head)
        except Refused as refusal:
            await self._refuse(refusal.status, refusal.detail)
            return
        except DatabaseError:
            await self._refuse(503, "Database not available")
            return
        await self._send({"type": "websocket.accept", "subprotocol": self.admission.subprotocol})
        with connections.connected():
            async with shared_tail() as tail:
                self.reader = Reader(tail, place)
                await self._serve()

    async def _serve(self) -> None:
        tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._tell())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Closed) and end.code:
                await self._close(end.code, end.reason)
            elif isinstance(end, Exception) and not isinstance(end, Closed):
                raise end

    async def _hear(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise Closed
            self._spend_allowance()
            text = message.get("text")
            if text is not None and len(text) > MAX_FRAME:
                raise Closed(TOO_BIG, "A frame has at most 1 MiB.")
            async with self.speaking:
                try:
                    await self.on_frame(_object(text))
                except Refusal as refusal:
                    await self.send(error_frame(refusal))
                except DatabaseError:
                    await self.send(error_frame(Unavailable("Database not available")))

    async def _tell(self) -> None:
        while True:
            await self._keep_alive()
            reader = self.reader
            place = reader.place
            due = min(self._bookmark_at, self._recheck_at) - self._now()
            try:
                batch = await reader.next(self.where(), max(due, 0.01))
            except Resync as error:
                await self._resync(reader, error)
            except DatabaseError:
                await asyncio.sleep(1)
            else:
                await self._tell_batch(reader, place, batch)

    async def _tell_batch(self, reader: Reader, place: Cursor, batch: Batch) -> None:
        # Who is slow holds one event and not a batch: the rest is forgotten and read again.
        forget = asyncio.get_running_loop().call_later(FORGET_AFTER_S, batch.entries.clear)
        try:
            while batch.entries:
                entry = batch.entries.popleft()
                async with self.speaking:
                    if self.reader is not reader:
                        return  # subscribed anew meanwhile: read again, with what is wanted now
                    await self._tell_one(entry)
                    reader.place = place._replace(seq=entry.seq)
            if not forget.cancelled() and forget.when() > self._now():
                reader.place = batch.cursor
        finally:
            forget.cancel()

    async def _tell_one(self, entry: Entry) -> None:
        event = entry.event
        if self.admission.sight.sees(event.type, event.entity_type):
            for frame in self.frames_of(entry):
                await self.send(frame)
        if self._concerns_credential(event):
            self._recheck_at = 0.0

    async def send(self, frame: bytes) -> None:
        """One frame, at the pace of the client."""
        try:
            async with asyncio.timeout(STALLED_AFTER_S):
                await self._send({"type": "websocket.send", "text": frame.decode()})
        except TimeoutError:
            raise Closed(STALLED, "Nothing was read for too long.") from None
        except OSError:
            raise Closed from None

    async def read_from(self, since: str) -> None:
        """Go on from a place of the client's choice, or read anew from where we are."""
        place = self.reader.place
        if since:
            place = await in_thread(resume, since, snapshot_url=self.snapshot_url)
        before, self.reader = self.reader, Reader(self.reader.tail, place)
        before.end()

    # Keeping it alive ----------------------------------------------------------------------------
    async def _keep_alive(self) -> None:
        figures = self.reader.tail.snapshot
        if figures is not None and figures is not self._snapshot_sent:
            self._snapshot_sent = figures
            await self._say(self.frames_of_snapshot(figures))
        if self._now() >= self._recheck_at:
            await self._recheck()
        if self._now() >= self._bookmark_at:
            self._bookmark_at = self._now() + BOOKMARK_EVERY_S
            cursor = str(self.reader.place)
            data = {"cursor": cursor, "head": str(self.reader.tail.head or cursor)}
            await self._say(
                [json.dumps({"type": "bookmark", **data, "data": data, "timestamp": now()})]
            )

    async def _recheck(self) -> None:
        self._recheck_at = self._now() + RECHECK_EVERY_S
        try:
            self.admission = await in_thread(admit, self.scope)
        except Refused:
            raise Closed(SIGNED_OUT, "The credential of this socket has ended.") from None
        except DatabaseError:
            self._recheck_at = self._now() + 1  # nothing can be read either until it is back

    def _concerns_credential(self, event: Event) -> bool:
        if not event.type.startswith(SECURITY):
            return False
        principal = self.admission.principal
        user_id = principal.user.pk if principal.user else None
        mine = {("apikey", str(principal.key_id)), ("user", str(user_id))}
        return (event.entity_type, event.entity_id) in mine

    async def _resync(self, reader: Reader, error: Resync) -> None:
        place = await in_thread(head)
        async with self.speaking:
            if self.reader is reader:
                self.reader = Reader(reader.tail, place)
                await self.send(resync_frame(error.detail, error.facts, str(place)))

    async def _say(self, frames: list[bytes]) -> None:
        async with self.speaking:
            for frame in frames:
                await self.send(frame)

    def _spend_allowance(self) -> None:
        now = self._now()
        self._allowance = min(BURST, self._allowance + (now - self._heard_at) * RATE) - 1
        self._heard_at = now
        if self._allowance < 0:
            raise Closed(POLICY, "Too many frames.")

    # Ending it -----------------------------------------------------------------------------------
    async def _refuse(self, status: int, detail: str) -> None:
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self._send({"type": "websocket.close"})
            return
        headers = [(b"content-type", b"application/json")]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await self._send(start)
        body = json.dumps({"detail": detail, "code": "refused"})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def _close(self, code: int, reason: str) -> None:
        # A server may hold this frame back, too, from a client that does not read: not for long.
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def now() -> str:
    """The time as frames carry it."""
    return json.instant(timezone.now()) or ""


def error_frame(refusal: Refusal) -> bytes:
    """What a client is told that sent something wrong; the socket stays open."""
    data = {"detail": refusal.detail, "code": refusal.code, **refusal.facts}
    kind = "resync_required" if refusal.code == "cursor_expired" else "error"
    return json.dumps({"type": kind, **data, "data": data, "timestamp": now()})


def resync_frame(detail: str, facts: Message, cursor: str) -> bytes:
    """Events are gone that the client has not seen: it reads the state anew, then goes on here."""
    data = {"detail": detail, **facts, "cursor": cursor}
    return json.dumps({"type": "resync_required", **data, "data": data, "timestamp": now()})


def _object(text: str | None) -> Message:
    if text is None:
        raise Refusal("Frames are text; this one is binary.", cause="binary")
    frame = json.loads(text.encode())
    if not isinstance(frame, dict):
        raise Refusal("A frame is a JSON object.", cause="not_an_object")
    return frame
