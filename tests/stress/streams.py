"""The streams alone: a server of its own process, with the sequencer's tick and without agents."""

import sqlite3
import subprocess
import time
from contextlib import closing
from typing import Any

import httpx
import psycopg

from tests.stress.platform import Platform

Writer = subprocess.Popen[bytes]

PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Group, User
from platform_site.common.keys import key_issue
alice = User.objects.create_user("alice", is_staff=True)
alice.groups.add(Group.objects.get_or_create(name="operator")[0])
key_issue(name="test", owner=alice, secret={key!r}, actor="test")
"""
SERVE = """
import os
import django; django.setup()
from django.conf import settings
from messaging.streams import socket
from platform_site.server import Door, bind, serve
from tasks.runner import Runner
socket.STALLED_AFTER_S = float(os.environ.get("STALLED_AFTER_S", socket.STALLED_AFTER_S))
serve([bind(Door(settings.PORT, "127.0.0.1", "streams"))], runner=Runner([], threads=1))
"""
EMIT = """
import random, sys, threading, time
import django; django.setup()
from django.contrib.auth.models import User
from django.db import connection, transaction
from messaging.events import emit
first, threads, count, size = map(int, sys.argv[1:5])
pause = float(sys.argv[5])
alice = User.objects.get(username="alice")
def write(who):
    chance = random.Random(who)
    for number in range(count):
        begun = time.perf_counter()
        try:
            with transaction.atomic():
                facts = {"writer": who, "number": number, "filling": "x" * size}
                emit("test.happened", alice, actor="test", **facts)
                if chance.random() < 0.01:
                    time.sleep(0.05)
                if chance.random() < 0.05:
                    raise InterruptedError
        except InterruptedError:
            pass
        print(f"{time.perf_counter() - begun:.4f}", flush=True)
        time.sleep(pause)
    connection.close()
writers = [threading.Thread(target=write, args=[first + number]) for number in range(threads)]
for writer in writers: writer.start()
for writer in writers: writer.join()
"""


class Streams(Platform):
    """A platform whose server does nothing but answer, number and stream."""

    def __enter__(self) -> "Streams":
        prepared = self.popen("-c", PREPARE.format(key=self.key))
        assert prepared.wait(60) == 0, self.log
        self.start()
        return self

    def start(self) -> None:
        self.process = self.popen("-c", SERVE)
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/health", timeout=5)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"The server did not answer:\n{self.log[-3000:]}")

    def writer(
        self, first: int, threads: int, count: int, *, size: int = 20, pause_s: float = 0.0
    ) -> Writer:
        """A process of threads that emit; some transactions stay open a while, some roll back."""
        arguments = [str(number) for number in (first, threads, count, size, pause_s)]
        return self.popen("-c", EMIT, *arguments)

    def query(self, sql: str) -> list[Any]:
        """Rows of the database, read past the platform."""
        if self.kind == "postgres":
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(sql).fetchall()
        path = self.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=20)) as database:
            return database.execute(sql).fetchall()
