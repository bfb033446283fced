"""The sequencer: numbers committed events densely, in id order.

Ids are given before the commit, so a reader with a cursor over ids loses what commits late. Numbers
are given after it, by one holder of a lock at a time: whoever does not get the lock leaves, because
the holder looks again before it leaves too. What commits in the instant between is found by a tick
of 200 ms.
"""

import secrets
import threading

from django.db import connection, transaction
from django.db.models import Max

from messaging import bell
from messaging.models import Event, EventLog

BATCH = 5000
LOCK = (
    0x5E0C  # of pg_try_advisory_xact_lock; the locks of Idempotency-Keys are random 64-bit numbers
)

_committing = threading.local()

# Every commit with an event runs these: written out, they cost a third of what the ORM's take.
_WAITING = "SELECT EXISTS (SELECT 1 FROM messaging_event WHERE seq IS NULL)"
_HEAD = "SELECT epoch, head_seq FROM messaging_eventlog WHERE id = 1"
_ADVANCE = "UPDATE messaging_eventlog SET head_seq = head_seq + %s WHERE id = 1"
_NUMBER = """
    UPDATE messaging_event SET seq = numbered.seq, epoch = %s
    FROM (
        SELECT id, %s + ROW_NUMBER() OVER (ORDER BY id) AS seq
        FROM (SELECT id FROM messaging_event WHERE seq IS NULL ORDER BY id LIMIT %s) AS batch
    ) AS numbered
    WHERE messaging_event.id = numbered.id
"""


def number_after_commit() -> None:
    """Number what is committed as soon as the transaction is: once, however much it emitted.

    A failure is logged and left to the tick: the request has committed and must not hear of it.
    """
    if getattr(_committing, "leaves_to_tick", False):
        return
    _committing.has_events = True
    transaction.on_commit(_number_once, robust=True)


def leave_to_tick() -> None:
    """For a thread that commits many times a second: its events are numbered in batches.

    Numbering is a transaction of its own, so doing it after each commit would halve what a busy
    worker of SQLite gets done.
    """
    _committing.leaves_to_tick = True


def number_events() -> int:
    """Number every committed event without a number, and ring; returns how many there were."""
    total = 0
    while _is_waiting():
        numbered = _number_batch()
        if not numbered:
            break  # somebody else holds the lock and numbers for all
        total += numbered
    return total


def event_log() -> EventLog:
    """The head of the log."""
    return EventLog.objects.filter(pk=1).first() or _first_log()


def _number_once() -> None:
    if _committing.has_events:
        _committing.has_events = False
        number_events()


@transaction.atomic
def _number_batch() -> int:
    if not _locked():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_HEAD)
        epoch, head_seq = cursor.fetchone() or _head_of(_first_log())
        cursor.execute(_NUMBER, [epoch, head_seq, BATCH])
        numbered: int = cursor.rowcount
        if numbered:
            cursor.execute(_ADVANCE, [numbered])
            bell.ring_after_commit(bell.EVENTS)
    return numbered


def _head_of(log: EventLog) -> tuple[str, int]:
    return log.epoch, log.head_seq


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone()[0])


def _locked() -> bool:
    """The lock until commit. An IMMEDIATE transaction of SQLite holds the only one there is."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _first_log() -> EventLog:
    last = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    first = {"epoch": secrets.token_hex(4), "head_seq": last, "trimmed_seq": last}
    return EventLog.objects.get_or_create(pk=1, defaults=first)[0]
