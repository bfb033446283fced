"""Committed events get dense numbers; nothing of a rollback stays."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from messaging import bell
from messaging.cursor import head
from messaging.events import emit, emit_many
from messaging.models import Event, EventLog
from messaging.sequencer import LOCK, number_events
from tests.factories.messaging import make_event

pytestmark = pytest.mark.django_db(transaction=True)


def write(*names: str) -> None:
    with transaction.atomic():
        for name in names:
            emit(name, Group(pk=7), actor="alice")


@transaction.atomic
def write_and_fail() -> None:
    emit("a.lost", Group(pk=7), actor="alice")
    raise InterruptedError


def test_events_are_numbered_as_soon_as_they_are_committed():
    write("a.one", "a.two")
    with transaction.atomic():
        emit_many("a.three", [(Group(pk=1), {}), (Group(pk=2), {"x": 1})], actor="alice")

    numbered = Event.objects.order_by("seq").values_list("seq", "type", "entity_id")
    assert list(numbered) == [
        (1, "a.one", "7"),
        (2, "a.two", "7"),
        (3, "a.three", "1"),
        (4, "a.three", "2"),
    ]
    assert head().seq == 4
    assert set(Event.objects.values_list("epoch", flat=True)) == {head().epoch}


def test_a_rollback_leaves_no_event_and_no_gap():
    write("a.one")
    with pytest.raises(InterruptedError):
        write_and_fail()
    with transaction.atomic():
        with pytest.raises(InterruptedError):
            write_and_fail()
        emit("a.two", Group(pk=7), actor="alice")

    assert list(Event.objects.order_by("seq").values_list("seq", "type")) == [
        (1, "a.one"),
        (2, "a.two"),
    ]


def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="outside a transaction"):
        emit("a.one", Group(pk=7), actor="alice")

    assert not Event.objects.exists()


def test_numbering_twice_changes_nothing():
    write("a.one")

    assert number_events() == 0
    assert head().seq == 1


def test_the_bell_rings_after_the_commit_and_not_before():
    rings = bell.count(bell.EVENTS)
    with transaction.atomic():
        emit("a.one", Group(pk=7), actor="alice")
        assert bell.count(bell.EVENTS) == rings

    assert bell.count(bell.EVENTS) == rings + 1


def test_threads_that_commit_at_once_get_dense_numbers():
    def work() -> None:
        for _ in range(10):
            write("a.one")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number_events()  # the tick

    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 41))


@pytest.mark.postgresql  # SQLite has one writer at a time
def test_who_does_not_get_the_lock_leaves_and_the_tick_numbers():
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            held.set()
            free.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    write("a.one")
    assert Event.objects.get().seq is None

    free.set()
    holder.join()

    assert number_events() == 1
    assert Event.objects.get().seq == 1


def test_a_truncated_log_begins_a_new_epoch():
    make_event()
    before = head()
    EventLog.objects.all().delete()
    Event.objects.all().delete()

    make_event()

    assert head().epoch != before.epoch
    assert head().seq == 1
