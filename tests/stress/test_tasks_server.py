"""The server is killed, stopped and crowded: what it acknowledged is there, nobody sees a 5xx."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.stress.platform import Platform

pytestmark = pytest.mark.stress
both = pytest.mark.parametrize("database", ["sqlite", "postgres"])
FULL = os.environ.get("STRESS") == "full"
KILLS = 20 if FULL else 5
SUBMITTERS = WRITERS = 8
BETWEEN_KILLS_S = 1.0
LOAD_S = 10.0


@dataclass
class Submitter:
    """A client that submits tasks, each under a key of its own, until it is told to stop."""

    platform: Platform
    name: str
    acknowledged: dict[str, str] = field(default_factory=dict)  # key -> task id
    unknown: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def submit(self, http: httpx.Client, key: str) -> None:
        """One call; what is not answered is unknown, for it may have happened."""
        try:
            answer = http.post(
                "/api/v1/tasks",
                json={"title": key, "description": "", "required_capabilities": ["nobody"]},
                headers={"Idempotency-Key": key},
            )
        except httpx.ConnectError:
            return  # it was never sent
        except httpx.TransportError:
            self.unknown.append(key)
            return
        self.statuses.append(answer.status_code)
        if answer.status_code == 200:
            self.acknowledged[key] = answer.json()["id"]
        else:
            self.unknown.append(key)

    def run(self, stop: threading.Event) -> None:
        """Submit until told to stop; while nobody answers, slowly."""
        with self.client() as http:
            for n in count():
                if stop.is_set():
                    return
                before = len(self.acknowledged)
                self.submit(http, f"{self.name}-{n}")
                if len(self.acknowledged) == before:
                    stop.wait(0.1)

    def client(self) -> httpx.Client:
        """A connection with the operator's key."""
        return httpx.Client(base_url=self.platform.url, headers=self.platform.headers, timeout=20)


@contextmanager
def submitting(platform: Platform) -> Iterator[list[Submitter]]:
    """Eight submitters at work for the length of the block."""
    stop = threading.Event()
    submitters = [Submitter(platform, f"s{n}") for n in range(SUBMITTERS)]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in submitters]
    for thread in threads:
        thread.start()
    try:
        yield submitters
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@both
def test_a_killed_server_has_kept_everything_it_acknowledged_and_doubles_nothing(database):
    """R3: `kill -9` under eight submitters; afterwards every key is sent again."""
    with Platform(database, agents=False) as platform:
        with submitting(platform) as submitters:
            for _ in range(KILLS):
                time.sleep(BETWEEN_KILLS_S)
                platform.kill()
                platform.start()

        acknowledged = {key: made for one in submitters for key, made in one.acknowledged.items()}
        unknown = [key for one in submitters for key in one.unknown]
        print(f"{len(acknowledged)} acknowledged, {len(unknown)} unknown")  # noqa: T201
        stored = dict(platform.sql("SELECT title, id FROM tasks_task"))
        assert len(acknowledged) > 50
        assert {key: stored.get(key) for key in acknowledged} == acknowledged

        again = Submitter(platform, "again")
        with again.client() as http:
            for key in [*acknowledged, *unknown]:
                again.submit(http, key)

        assert set(again.statuses) == {200}
        assert acknowledged.items() <= again.acknowledged.items()
        [(rows,)] = platform.sql("SELECT count(*) FROM tasks_task")
        assert rows == len(again.acknowledged)
        platform.assert_sound()


@both
def test_sigterm_under_load_is_polite(database):
    """R22: no 5xx, polls answered, streams ended, sockets closed with 1012, no lease left."""
    with Platform(database) as platform:
        address = platform.url.replace("http", "ws") + "/api/v1/ws/watcher"
        closed: list[int] = []

        def watch() -> None:
            with connect(address, additional_headers=platform.headers) as sockets:
                try:
                    while True:
                        sockets.recv()
                except ConnectionClosed as end:
                    closed.append(end.rcvd.code if end.rcvd else 0)

        polls: list[int] = []

        def poll() -> None:
            url = f"{platform.url}/api/v1/events?wait=60&types=nothing.ever"
            try:
                polls.append(httpx.get(url, headers=platform.headers, timeout=70).status_code)
            except httpx.TransportError:
                polls.append(0)

        streams: list[str] = []

        def stream() -> None:
            url = f"{platform.url}/api/v1/events/stream"
            try:
                with httpx.stream("GET", url, headers=platform.headers, timeout=70) as answer:
                    answer.read()
                streams.append("ended")
            except httpx.TransportError as error:
                streams.append(repr(error))

        waiting = [threading.Thread(target=watch) for _ in range(3)]
        waiting += [threading.Thread(target=stream) for _ in range(3)]
        waiting += [threading.Thread(target=poll) for _ in range(3)]
        for thread in waiting:
            thread.start()
        with submitting(platform) as submitters:
            time.sleep(2)
            started = time.monotonic()
            code = platform.stop(within_s=25)
            took_s = time.monotonic() - started
        for thread in waiting:
            thread.join(30)

        statuses = {status for one in submitters for status in one.statuses}
        assert code == 0, platform.log[-3000:]
        assert took_s <= 20
        assert statuses == {200}
        assert polls == [200, 200, 200]
        assert streams == ["ended"] * 3
        assert closed == [1012, 1012, 1012]
        [(stored,)] = platform.sql("SELECT count(*) FROM tasks_task WHERE title LIKE 's%'")
        assert stored >= sum(len(one.acknowledged) for one in submitters)
        platform.assert_sound()


def test_eight_writers_never_find_sqlite_locked():
    """R27: eight clients write through the server while a second process works on the same file."""
    with Platform("sqlite") as platform:
        second = platform.popen("manage.py", "run_agents")
        try:
            with submitting(platform) as submitters:
                until = time.monotonic() + LOAD_S
                while time.monotonic() < until:
                    done = platform.manage("access_sync")
                    assert done.returncode == 0, done.stderr
        finally:
            second.kill()
            second.wait()

        statuses = {status for one in submitters for status in one.statuses}
        assert statuses == {200}
        assert sum(len(one.acknowledged) for one in submitters) > 100
        assert "database is locked" not in platform.log
        platform.assert_sound()
