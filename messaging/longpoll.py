"""Long polls that hold no thread and no database connection while they wait."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpResponseBase

from messaging import bell
from platform_site.common.limits import MAX_BODY

HEADER = "X-Poll-Again"
LOOK_EVERY_S = 2.0  # a ring may get lost
JITTER = 1 / 16  # clients that came together shall not come back together

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def poll_again(
    response: HttpResponseBase, topic: str, wait_s: float, **pinned: str
) -> HttpResponseBase:
    """Mark an answer that found nothing: the view is asked again when the bell of `topic` rings.

    `LongPoll` asks it anew, as if the client had sent the request again with the `pinned` query
    parameters, until it finds something, `wait_s` is over or the process stops. Under WSGI, which
    cannot wait without a thread, the client gets the empty answer.
    """
    response.headers[HEADER] = f"{topic};{wait_s:g};{urlencode(pinned)}"
    return response


class LongPoll:
    """ASGI: asks the application again while its answer says `poll_again`.

    Every other answer passes through untouched. Of a request only a body up to the usual limit is
    kept; a larger one is not asked again.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        request, until = _Request(receive), None
        while True:
            rings = {topic: bell.count(topic) for topic in (bell.EVENTS, bell.TASKS)}
            answer = _Answer(send)
            await self.app(dict(scope), request.receive, answer.send)
            if answer.poll is None or request.is_gone:
                return
            topic, wait_s, pinned = answer.poll
            scope = _pinned(scope, pinned)
            until = until or now() + wait_s * (1 + random.uniform(0, JITTER))  # noqa: S311 (no secret)
            left_s = until - now()
            if left_s <= 0 or bell.is_over() or not request.is_kept:
                await answer.release()
                return
            if not await request.wait(topic, min(left_s, LOOK_EVERY_S), since=rings[topic]):
                return


class _Request:
    """What the client sends, kept so that the application can read it again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []
        self._size = 0
        self._next = 0
        self.is_kept = True
        self.is_gone = False

    async def receive(self) -> Message:
        if self._next < len(self._kept):
            self._next += 1
            return self._kept[self._next - 1]
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_gone = True
        elif self.is_kept:
            self._keep(message)
        return message

    async def wait(self, topic: str, timeout_s: float, *, since: int) -> bool:
        """Wait for the bell, then begin again; False if the client went away meanwhile."""
        self._next = len(self._kept)
        rung = asyncio.ensure_future(bell.wait(topic, timeout_s, since))
        left = asyncio.ensure_future(self.receive())
        try:
            await asyncio.wait({rung, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
            left.cancel()
        await asyncio.gather(rung, left, return_exceptions=True)
        self._next = 0
        return not self.is_gone

    def _keep(self, message: Message) -> None:
        self._size += len(message.get("body", b""))
        if self._size > MAX_BODY:
            self.is_kept, self._kept = False, []
            return
        self._kept.append(message)
        self._next += 1


class _Answer:
    """What the application answers, held back if it says `poll_again`."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self.poll: tuple[str, float, str] | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = self._read_mark(message)
        if self.poll is None:
            await self._send(message)
        else:
            self._held.append(message)

    async def release(self) -> None:
        for message in self._held:
            await self._send(message)

    def _read_mark(self, start: Message) -> Message:
        mark = HEADER.lower().encode()
        headers = list(start.get("headers", []))
        value = next((value for name, value in headers if name.lower() == mark), None)
        if value is None:
            return start
        topic, wait_s, pinned = value.decode().split(";")
        self.poll = topic, float(wait_s), pinned
        return {**start, "headers": [pair for pair in headers if pair[0].lower() != mark]}


def _pinned(scope: Message, pinned: str) -> Message:
    """The request with these query parameters in place of its own."""
    if not pinned:
        return scope
    asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    query = urlencode(dict(asked) | dict(parse_qsl(pinned)))
    return {**scope, "query_string": query.encode()}
