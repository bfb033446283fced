"""Long polls and Server-Sent Events through ASGI: they wait without a thread and wake at once."""

import asyncio
import json
import random
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from messaging.cursor import head
from messaging.longpoll import LongPoll
from messaging.models import Event
from platform_site.asgi import application
from platform_site.common.limits import MAX_BODY
from tests.factories.messaging import make_event

pytestmark = pytest.mark.django_db(transaction=True)
happen = sync_to_async(make_event)
place = sync_to_async(head)


def request(path: str, secret: str, query: str = "", **headers: str) -> ApplicationCommunicator:
    """A request to the ASGI application."""
    named = {"host": "localhost", "x-api-key": secret, **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    return ApplicationCommunicator(application, scope)


async def answer_of(asked: ApplicationCommunicator, timeout_s: float = 5) -> tuple[int, Any]:
    """Status and JSON of the whole answer."""
    start = await asked.receive_output(timeout_s)
    assert b"x-poll-again" not in dict(start["headers"])
    body = b""
    while True:
        part = await asked.receive_output(timeout_s)
        body += part.get("body", b"")
        if not part.get("more_body"):
            await asked.wait(timeout_s)
            return start["status"], json.loads(body)


async def test_a_long_poll_wakes_when_an_event_comes(key):
    secret = await sync_to_async(key)()
    since = str(await place())
    asked = request("/api/v1/events", secret, f"since={since}&wait=30&types=task.*")
    await asked.send_input({"type": "http.request"})
    assert await asked.receive_nothing(0.5)

    await happen("agent.registered")  # not asked for: it waits on
    event = await happen("task.completed")

    status, body = await answer_of(asked)
    assert status == 200
    assert [told["id"] for told in body["events"]] == [event.pk]


async def test_a_long_poll_without_a_cursor_begins_at_the_head_and_waits_for_the_next_event(key):
    secret = await sync_to_async(key)()
    await happen("task.submitted")
    asked = request("/api/v1/events", secret, "wait=30&types=task.*")
    await asked.send_input({"type": "http.request"})
    assert await asked.receive_nothing(0.5)

    await happen("agent.registered")  # not asked for: it waits on
    event = await happen("task.completed")

    status, body = await answer_of(asked)
    assert status == 200
    assert [told["id"] for told in body["events"]] == [event.pk]
    assert body["cursor"] == f"{event.epoch}:{event.seq}"


async def test_a_long_poll_that_finds_nothing_answers_at_its_end(key):
    secret = await sync_to_async(key)()
    since = str(await place())
    asked = request("/api/v1/events", secret, f"since={since}&wait=1")
    begun = time.monotonic()
    await asked.send_input({"type": "http.request"})

    assert await answer_of(asked) == (200, {"events": [], "cursor": since})
    assert 1 <= time.monotonic() - begun < 3


async def test_a_client_that_goes_away_ends_its_long_poll(key):
    secret = await sync_to_async(key)()
    asked = request("/api/v1/events", secret, f"since={await place()}&wait=30")
    await asked.send_input({"type": "http.request"})
    assert await asked.receive_nothing(0.5)

    await asked.send_input({"type": "http.disconnect"})

    await asked.wait(2)
    assert asked.output_queue.empty()


async def test_a_body_over_the_limit_is_read_once_and_not_kept():
    asks = []

    async def view(scope, receive, send):
        asks.append((await receive())["body"])
        again = [(b"X-Poll-Again", b"events;30;")]
        await send({"type": "http.response.start", "status": 204, "headers": again})
        await send({"type": "http.response.body", "body": b""})

    asked = ApplicationCommunicator(LongPoll(view), {"type": "http"})
    await asked.send_input({"type": "http.request", "body": b"x" * (MAX_BODY + 1)})

    assert (await asked.receive_output(2))["status"] == 204
    assert len(asks) == 1


async def test_the_event_stream_resumes_by_last_event_id_and_goes_on_live(key):
    secret = await sync_to_async(key)()
    first, second = await happen(number=1), await happen(number=2)
    headers = {"last-event-id": f"{first.epoch}:{first.seq}", "accept": "text/event-stream"}
    asked = request("/api/v1/events/stream", secret, "since=oldest&types=task_activity", **headers)
    await asked.send_input({"type": "http.request"})

    start = await asked.receive_output(5)
    assert (start["status"], dict(start["headers"])[b"Content-Type"]) == (200, b"text/event-stream")
    text = await stream_until(asked, second.seq)
    third = await happen(number=3)
    text += await stream_until(asked, third.seq)

    ids = [line for line in text.splitlines() if line.startswith("id: ")]
    assert ids == [f"id: {first.epoch}:{event.seq}" for event in (first, second, third)]
    facts = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert [told.get("data") for told in facts] == [None, {"number": 2}, {"number": 3}]
    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(2)


async def stream_until(asked: ApplicationCommunicator, seq: int) -> str:
    """What comes until the event of this number."""
    text = ""
    while f":{seq}\ndata" not in text:
        text += (await asked.receive_output(5))["body"].decode()
    return text


@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "long poll"])
async def test_hung_up_on_again_and_again_a_reader_neither_loses_nor_doubles_an_event(
    key, is_stream
):
    secret = await sync_to_async(key)()
    cursor, chance, found = str(await place()), random.Random(13), []

    for _ in range(12):
        made = [await happen("task.completed") for _ in range(chance.randint(1, 4))]
        read = read_stream if is_stream else read_page
        # It is cut off after some of what there is, and goes on from the last that it has seen.
        told = await read(secret, cursor, chance.randint(1, len(made)))
        cursor = told[-1]
        found += told
    last = await read_page(secret, cursor, 100)

    rows = await sync_to_async(list)(Event.objects.filter(type="task.completed").order_by("seq"))
    assert found + last == [f"{row.epoch}:{row.seq}" for row in rows]
    assert len(rows) > 20


async def read_stream(secret: str, cursor: str, count: int) -> list[str]:
    """The cursors of the first `count` events of a stream, which is then hung up on."""
    asked = request(
        "/api/v1/events/stream", secret, "types=task_activity", **{"last-event-id": cursor}
    )
    await asked.send_input({"type": "http.request"})
    await asked.receive_output(5)
    text = ""
    while text.count("\n\n") <= count:  # the first one is a bookmark
        text += (await asked.receive_output(5))["body"].decode()
    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(2)
    return [part.split("\n")[0].removeprefix("id: ") for part in text.split("\n\n")[1:][:count]]


async def read_page(secret: str, cursor: str, count: int) -> list[str]:
    """The cursors of the next `count` events."""
    query = f"since={cursor}&types=task_activity&limit={count}&wait=1"
    asked = request("/api/v1/events", secret, query)
    await asked.send_input({"type": "http.request"})
    _, body = await answer_of(asked)
    return [told["cursor"] for told in body["events"]]


async def test_an_expired_event_stream_is_410(key):
    secret = await sync_to_async(key)()
    asked = request("/api/v1/events/stream", secret, "since=other:1")
    await asked.send_input({"type": "http.request"})

    status, body = await answer_of(asked)

    assert (status, body["code"]) == (410, "cursor_expired")


async def test_many_long_polls_wait_at_once(key):
    secret = await sync_to_async(key)()
    since = str(await place())
    query = f"since={since}&wait=30&types=task.*"
    polls = [request("/api/v1/events", secret, query) for _ in range(50)]
    for poll in polls:
        await poll.send_input({"type": "http.request"})
    assert await polls[-1].receive_nothing(0.5)

    await happen("task.completed")

    answers = await asyncio.gather(*[answer_of(poll, 10) for poll in polls])
    assert {len(body["events"]) for _, body in answers} == {1}
