"""A place in the log: `epoch:seq`."""

from typing import NamedTuple

from messaging.models import EventLog
from messaging.sequencer import event_log
from platform_site.common.errors import Refusal

OLDEST = "oldest"
MAX_DIGITS = 18


class CursorExpired(Refusal):
    """The place is not in this log any more: trimmed, of another epoch, or beyond its head."""

    status = 410
    code = "cursor_expired"


class Cursor(NamedTuple):
    """The last event that a reader has seen."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


def head() -> Cursor:
    """The place of the newest event."""
    log = event_log()
    return Cursor(log.epoch, log.head_seq)


def resume(since: str, *, snapshot_url: str) -> Cursor:
    """The place that a client named: its cursor, `oldest`, or nothing for the head.

    Raises CursorExpired rather than let a reader skip what it has not seen.
    """
    log = event_log()
    if not since:
        return Cursor(log.epoch, log.head_seq)
    if since == OLDEST:
        return Cursor(log.epoch, log.trimmed_seq)
    epoch, _, number = since.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    place = Cursor(epoch, int(number) if is_number else -1)
    if not is_in(log, place):
        raise expired(log, snapshot_url)
    return place


def is_in(log: EventLog, place: Cursor) -> bool:
    """Whether everything after this place can still be read."""
    return place.epoch == log.epoch and log.trimmed_seq <= place.seq <= log.head_seq


def expired(log: EventLog, snapshot_url: str) -> CursorExpired:
    """The refusal that tells a client where to begin again."""
    return CursorExpired(
        "This cursor is not in the log any more; read the present state and begin at `latest`.",
        oldest=str(Cursor(log.epoch, log.trimmed_seq)),
        latest=str(Cursor(log.epoch, log.head_seq)),
        snapshot_url=snapshot_url,
    )
