"""A tick runs at one place at a time, and somewhere soon after its holder is gone."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from tasks.handlers import discover
from tasks.models import TickLease
from tasks.tick_leases import TickLeases, host_name, process_start
from tasks.ticker import run_tick
from tasks.ticks import TICKS, Tick, tick

pytestmark = pytest.mark.django_db
NAMES = {"tasks.reaper", "tasks.watch"}
needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc here")  # noqa: PTH110


def somebody_else(**facts):
    """A holder on another host."""
    leases = TickLeases()
    leases.me = {"host": "elsewhere", "pid": 7, "process_start": "77", **facts}
    return leases


def test_the_first_process_gets_the_ticks_and_a_second_one_stands_by():
    first, second = somebody_else(), TickLeases()

    assert first.hold(NAMES) == NAMES
    assert second.hold(NAMES) == set()


def test_a_held_tick_is_asked_for_without_a_query(django_assert_num_queries):
    leases = TickLeases()
    leases.hold(NAMES)

    with django_assert_num_queries(0):
        assert leases.hold(NAMES) == NAMES


def test_an_expired_lease_is_taken_over():
    somebody_else().hold(NAMES)
    TickLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert TickLeases().hold(NAMES) == NAMES


def test_a_released_lease_is_taken_over_at_once():
    first = somebody_else()
    first.hold(NAMES)

    first.release()

    assert TickLeases().hold(NAMES) == NAMES


@needs_proc
def test_the_same_host_takes_over_at_once_when_the_holder_is_gone():
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(gone.pid)
    somebody_else(host=host_name(), pid=gone.pid, process_start=start).hold(NAMES)
    waiting = TickLeases()
    assert waiting.hold(NAMES) == set()

    gone.kill()
    gone.communicate()

    assert TickLeases().hold(NAMES) == NAMES


@needs_proc
def test_a_process_id_that_was_given_again_is_not_the_holder():
    somebody_else(host=host_name(), pid=os.getpid(), process_start="1").hold(NAMES)

    assert TickLeases().hold(NAMES) == NAMES


def test_who_slept_through_its_lease_does_not_hold_it_any_more():
    sleeper = TickLeases()
    sleeper.hold(NAMES)
    TickLease.objects.update(host="elsewhere", pid=7, process_start="77")
    sleeper.renewed_at -= 60

    assert sleeper.hold(NAMES) == set()


def test_a_tick_that_fails_is_logged_and_harms_nobody(caplog):
    run_tick(Tick("tasks.broken", 1, lambda: 1 / 0))

    assert "The tick tasks.broken failed." in caplog.text


def test_the_ticks_of_the_engine_are_known_with_their_periods():
    discover()

    periods = {name: row.every_s for name, row in TICKS.items() if name.startswith("tasks.")}

    assert periods["tasks.sequencer"] == 0.2
    assert periods["tasks.handlers"] == periods["tasks.scheduler"] == periods["tasks.reaper"] == 1
    assert periods["tasks.watch"] == 5
    assert TICKS["tasks.handlers"].topic == "events"


def test_two_ticks_of_one_name_are_refused():
    discover()

    def reaper():
        pass

    reaper.__module__ = "tasks.agent"

    with pytest.raises(LookupError, match=r"tasks\.reaper is declared twice"):
        tick(every_s=1)(reaper)


def test_idle_ticks_of_the_engine_write_nothing(django_assert_num_queries):
    discover()
    engine = [row for name, row in TICKS.items() if name.startswith("tasks.")]
    for row in engine:
        row.function()  # first rows, such as the cursor

    with django_assert_num_queries(60, exact=False) as counted:
        for row in engine:
            row.function()

    written = [
        query["sql"]
        for query in counted.captured_queries
        if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")
    ]
    assert written == []
