"""Reading the log: numbered events after a place, in their order."""

from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from messaging import topics
from messaging.cursor import Cursor, expired, head, is_in, resume
from messaging.models import Event
from messaging.sequencer import event_log
from platform_site.common import json

__all__ = ["Cursor", "Page", "event_dict", "head", "of_entity", "page", "read", "resume"]


class Page(NamedTuple):
    """Some events, and how far the log was looked through to find them."""

    events: list[Event]
    cursor: Cursor


def read(
    after_seq: int, *, limit: int, types: list[str] | None = None, entity: str | None = None
) -> list[Event]:
    """The next `limit` numbered events after a number: of these topics, names or prefixes, of this
    entity (`task:42`)."""
    return list(_matching(types, entity).filter(seq__gt=after_seq).order_by("seq")[:limit])


def page(start: Cursor, where: Q, *, limit: int, snapshot_url: str = topics.SNAPSHOT) -> Page:
    """The next `limit` events after `start` that match, and the place to go on from.

    A filtered reader moves on with the log even if nothing of it matches. Raises CursorExpired if
    events after `start` were removed before they were read.
    """
    end = head()
    rows = Event.objects.filter(where, seq__gt=start.seq, seq__lte=end.seq).order_by("seq")
    events = list(rows[:limit])
    # Looked at after the rows: what was trimmed while we read them counts.
    if not is_in(log := event_log(), start):
        raise expired(log, snapshot_url)
    last = events[-1].seq if len(events) == limit else end.seq
    return Page(events, Cursor(start.epoch, max(last or 0, start.seq)))


def of_entity(entity: str) -> Q:
    """The events of one row, `task:42`; of all rows of a kind, `task`."""
    kind, _, entity_id = entity.partition(":")
    return Q(entity_type=kind, entity_id=entity_id) if entity_id else Q(entity_type=kind)


def event_dict(event: Event) -> dict[str, Any]:
    """An event as readers get it."""
    return {
        "id": event.pk,
        "type": event.type,
        "seq": event.seq,
        "cursor": f"{event.epoch}:{event.seq}",
        "entity_type": event.entity_type,
        "entity_id": event.entity_id,
        "entity_version": event.entity_version,
        "actor": event.actor,
        "trace_id": event.trace_id,
        "causation_id": event.causation_id,
        "data": event.data,
        "created_at": json.instant(event.created_at),
    }


def _matching(types: list[str] | None, entity: str | None) -> QuerySet[Event]:
    rows = Event.objects.exclude(seq=None)
    if types is not None:
        rows = rows.filter(topics.of_types(types))
    return rows.filter(of_entity(entity)) if entity else rows
