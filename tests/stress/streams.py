"""The streams alone: the real server in a process of its own, with the sequencer's tick, no agents."""

from tests.stress.platform import Platform

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
import threading, time
import django; django.setup()
from django.conf import settings
from django.db import Error, close_old_connections
from messaging.sequencer import number_events
from platform_site.server import Door, bind, serve
def tick():
    while True:
        time.sleep(0.2)
        try:
            number_events()
        except Error as error:
            print("tick:", error, flush=True)
        close_old_connections()
threading.Thread(target=tick, daemon=True).start()
serve([bind(Door(settings.PORT, "127.0.0.1", "streams"))])
"""
EMIT = """
import random, sys, time
import django; django.setup()
from django.contrib.auth.models import User
from django.db import transaction
from messaging.events import emit
who, count, size, pause = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
chance = random.Random(who)
alice = User.objects.get(username="alice")
for number in range(count):
    begun = time.perf_counter()
    try:
        with transaction.atomic():
            emit("test.happened", alice, actor="test", writer=who, number=number, filling="x" * size)
            if chance.random() < 0.01:
                time.sleep(0.05)
            if chance.random() < 0.05:
                raise InterruptedError
    except InterruptedError:
        pass
    if number % 50 == 0:
        print(f"{time.perf_counter() - begun:.4f}", flush=True)
    time.sleep(pause)
"""


class Streams(Platform):
    """A platform whose server does nothing but answer, number and stream."""

    def __enter__(self) -> "Streams":
        prepared = self.popen("-c", PREPARE.format(key=self.key))
        assert prepared.wait(60) == 0, self.log
        self.start()
        return self

    def start(self) -> None:
        self.command = ["-c", SERVE]
        super().start()
