"""Who resumes with a cursor misses nothing: disconnects, late commits, a dead Redis (R6, R8)."""

import asyncio
import json
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.stress.platform import free_port
from tests.stress.streams import Streams, Writer

pytestmark = pytest.mark.stress
TYPE = "test.happened"
TABLE = f"SELECT seq FROM messaging_event WHERE type = '{TYPE}' ORDER BY seq"


@asynccontextmanager
async def subscribed(
    platform: Streams, since: str, port: int | None = None
) -> AsyncIterator[ClientConnection]:
    """A socket that has asked for the test's events after a cursor."""
    url = f"ws://127.0.0.1:{port or platform.port}/api/v1/ws/stress"
    async with connect(url, additional_headers=platform.headers, compression=None) as socket:
        await socket.send(
            json.dumps({"type": "subscribe", "subscriptions": [TYPE], "since": since})
        )
        confirmed = json.loads(await socket.recv())
        assert confirmed["type"] == "subscription_confirmed", confirmed
        yield socket


async def collect(
    platform: Streams, found: list[dict[str, Any]], *, port: int | None = None, cut: random.Random
) -> int:
    """Receive for ever, hung up on after a few frames each time; returns only when cancelled."""
    since = "oldest"
    while True:
        frames = cut.randint(1, 12)
        try:
            async with subscribed(platform, since, port) as socket:
                while frames:
                    frame = json.loads(await socket.recv())
                    since = frame["cursor"]
                    if frame["type"] == TYPE:
                        found.append({**frame["data"], "cursor": frame["cursor"]})
                        frames -= 1
                socket.transport.abort()
        except (ConnectionClosed, OSError):
            pass
        collect.disconnects += 1  # type: ignore[attr-defined]


async def until(condition: Any, within_s: float) -> None:
    """Look again and again; fails if it does not become true within the time."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "It did not happen within the time."
        await asyncio.sleep(0.05)


async def finish(writers: list[Writer]) -> None:
    """Wait for the writers."""
    await until(lambda: all(writer.poll() is not None for writer in writers), 30)
    assert [writer.returncode for writer in writers] == [0] * len(writers)


def in_order_of_entity(found: list[dict[str, Any]]) -> bool:
    """Whether what each writer did is told in the order in which it did it."""
    by_writer: dict[int, list[int]] = {}
    for data in found:
        by_writer.setdefault(data["writer"], []).append(data["number"])
    return all(numbers == sorted(numbers) for numbers in by_writer.values())


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_200_disconnects_during_2000_events_neither_lose_nor_double_one(database):
    with Streams(database) as platform:
        found: list[dict[str, Any]] = []
        collect.disconnects = 0  # type: ignore[attr-defined]
        writers = [platform.writer(first, 2, 550, pause_s=0.01) for first in (0, 10)]

        client = asyncio.create_task(collect(platform, found, cut=random.Random(8)))
        await finish(writers)
        table = [seq for (seq,) in platform.query(TABLE)]
        await until(lambda: len(found) >= len(table), 20)
        client.cancel()

        assert len(table) > 2000
        assert None not in table
        assert [data["seq"] for data in found] == table
        assert in_order_of_entity(found)
        assert collect.disconnects >= 200  # type: ignore[attr-defined]


def naive_reader(url: str, stop: Path) -> set[int]:
    """Ids that a reader with a cursor over ids sees: what is done without a sequencer."""
    seen: set[int] = set()
    last = 0
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.exists():
            rows = connection.execute(
                "SELECT id FROM messaging_event WHERE id > %s ORDER BY id", [last]
            ).fetchall()
            seen |= {row[0] for row in rows}
            last = max(seen, default=0)
            time.sleep(0.001)
    return seen


async def test_a_transaction_that_stays_open_while_others_commit_loses_nothing():
    with Streams("postgres") as platform:
        found: list[dict[str, Any]] = []
        stop = platform.folder / "stop"
        naive = asyncio.create_task(asyncio.to_thread(naive_reader, platform.database_url, stop))
        client = asyncio.create_task(follow(platform, found))
        with closing(psycopg.connect(platform.database_url)) as late:
            late.execute(
                "INSERT INTO messaging_event (epoch, type, entity_type, entity_id, entity_version,"
                " actor, trace_id, causation_id, causation_depth, data, created_at)"
                f" VALUES ('', '{TYPE}', 'user', '1', 0, 'late', '', '', 0,"
                """ '{"writer": -1, "number": 0}', now())"""
            )
            writers = [platform.writer(first, 4, 600) for first in (0, 10)]
            await finish(writers)
            before_late = len(found)
            late.commit()

        table = [seq for (seq,) in platform.query(TABLE)]
        await until(lambda: len(found) >= len(table), 20)
        stop.touch()
        ids = {
            row[0]
            for row in platform.query(f"SELECT id FROM messaging_event WHERE type = '{TYPE}'")
        }
        client.cancel()

        assert before_late > 1000  # the open transaction held nobody up
        assert [data["seq"] for data in found] == [seq for (seq,) in platform.query(TABLE)]
        assert found[-1]["writer"] == -1
        assert in_order_of_entity(found)
        assert ids - await naive  # the guard off: a cursor over ids loses events


async def follow(platform: Streams, found: list[dict[str, Any]], port: int | None = None) -> None:
    """One socket from the oldest event on."""
    async with subscribed(platform, "oldest", port) as socket:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == TYPE:
                found.append(
                    {**frame["data"], "timestamp": frame["timestamp"], "received": time.time()}
                )


class Redis:
    """A Redis of our own, to be killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="fleetdesk-redis-")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            ["redis-server", *options], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        client = redis.Redis(port=self.port)
        for _ in range(200):
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                client.close()
                return
        raise RuntimeError("Redis did not start.")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed.")
    server = Redis()
    server.start()
    yield server
    server.kill()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_redis_killed_and_restarted_while_events_flow_loses_nothing(database, own_redis):
    environment = {"REDIS_URL": f"redis://127.0.0.1:{own_redis.port}/0"}
    with Streams(database, env=environment) as platform:
        found: list[dict[str, Any]] = []
        writers = [platform.writer(0, 2, 500, pause_s=0.012)]
        client = asyncio.create_task(follow(platform, found))
        delays = []

        while any(writer.poll() is None for writer in writers):
            await asyncio.to_thread(own_redis.kill)
            await asyncio.sleep(0.4)
            begun = time.monotonic()
            async with httpx.AsyncClient(headers=platform.headers) as http:
                answer = await http.get(f"{platform.url}/api/v1/events", params={"wait": 0})
            assert answer.status_code == 200
            delays.append(time.monotonic() - begun)
            await asyncio.to_thread(own_redis.start)
            await asyncio.sleep(0.4)
        await finish(writers)
        table = [seq for (seq,) in platform.query(TABLE)]
        await until(lambda: len(found) >= len(table), 5)
        client.cancel()

        assert [data["seq"] for data in found] == table
        assert len(delays) >= 5
        assert max(delays) < 1
        slowest = max(float(line) for line in platform.log.splitlines() if is_figure(line))
        assert slowest < 2  # no writer waited for Redis


def is_figure(line: str) -> bool:
    """Whether a line of the log is the duration that a writer prints."""
    return line.replace(".", "", 1).isdigit()


async def test_a_ring_reaches_the_sockets_of_another_process_through_redis(own_redis):
    environment = {"REDIS_URL": f"redis://127.0.0.1:{own_redis.port}/0"}
    with Streams("sqlite", env=environment) as platform:
        found: list[dict[str, Any]] = []
        client = asyncio.create_task(follow(platform, found))

        await finish([platform.writer(0, 1, 40, pause_s=0.05)])
        await until(lambda: len(found) >= len(platform.query(TABLE)), 5)
        client.cancel()

        delays = sorted(data["received"] - emitted_at(data) for data in found)
        assert delays[len(delays) // 2] < 0.15  # without the ring: the tick, or 2 seconds


def emitted_at(data: dict[str, Any]) -> float:
    """When the event was written, in seconds since 1970."""
    return datetime.fromisoformat(data["timestamp"]).timestamp()
