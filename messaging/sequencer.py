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

# PostgreSQL does it in one journey. The lock is tried in a statement of its own: the next one has
# to see what the last holder wrote.
_NUMBER_AT_ONCE = """
    SELECT set_config('messaging.numbers', pg_try_advisory_xact_lock(%s)::text, true);
    WITH numbered AS (
        UPDATE messaging_event SET seq = log.head_seq + batch.place, epoch = log.epoch
        FROM messaging_eventlog AS log, (
            SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS place
            FROM (SELECT id FROM messaging_event WHERE seq IS NULL ORDER BY id LIMIT %s) AS waiting
        ) AS batch
        WHERE messaging_event.id = batch.id AND log.id = 1
            AND current_setting('messaging.numbers')::boolean
        RETURNING 1
    ), counted AS (SELECT COUNT(*) AS number FROM numbered)
    UPDATE messaging_eventlog SET head_seq = head_seq + counted.number
    FROM counted WHERE id = 1 AND counted.number > 0 RETURNING counted.number
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
    while _is_waiting() and (numbered := _number_batch()):
        total += numbered
    return total


def event_log() -> EventLog:
    """The head of the log."""
    return EventLog.objects.filter(pk=1).first() or _first_log()


def _number_once() -> None:
    if _committing.has_events:
        _committing.has_events = False
        if _number_batch():
            number_events()  # of those who did not get the lock meanwhile


def _number_batch() -> int:
    """How many got a number: none if there are none, or if somebody else numbers for all."""
    if connection.vendor != "postgresql":
        return _number_alone()
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER_AT_ONCE, [LOCK, BATCH])
        cursor.nextset()
        row = cursor.fetchone()
    if row is not None:
        bell.ring_after_commit(bell.EVENTS)
        return int(row[0])
    if EventLog.objects.filter(pk=1).exists():
        return 0
    _first_log()
    return _number_batch()


@transaction.atomic
def _number_alone() -> int:
    """The same on SQLite, whose IMMEDIATE transaction is the only lock there is."""
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


def _first_log() -> EventLog:
    last = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    first = {"epoch": secrets.token_hex(4), "head_seq": last, "trimmed_seq": last}
    return EventLog.objects.get_or_create(pk=1, defaults=first)[0]
