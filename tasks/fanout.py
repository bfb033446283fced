"""The durable consumer `handlers`: it reads the numbered events and makes a task for each reaction.

The tasks and the new place of the cursor are one transaction, so each event makes each task exactly
once, whatever is killed. A chain of causes that grows too long ends in a rejected
task.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging import log as event_log
from messaging.models import Event
from platform_site.common.context import tracing
from tasks.handlers import Handler, discover, handlers_of
from tasks.models import Consumer
from tasks.services import task_submit

CONSUMER = "handlers"
BATCH = 200
ACTOR = "system"


def fan_out() -> int:
    """Make the tasks for all events numbered so far; returns how many."""
    made = 0
    while (step := _step()) is not None:
        made += step
    return made


def reached_seq() -> int:
    """The number of the last event that the consumer has read."""
    return Consumer.objects.filter(name=CONSUMER).values_list("seq", flat=True).first() or 0


def _step() -> int | None:
    head = event_log.head().seq
    place = Consumer.objects.filter(name=CONSUMER).values_list("seq", flat=True).first()
    if place is None:
        Consumer.objects.get_or_create(name=CONSUMER)
    if head <= (place or 0):
        return None  # nothing new: an idle tick only reads
    types = sorted({handler.event for handler in discover().values() if handler.event})
    with transaction.atomic():
        consumer = Consumer.objects.select_for_update().get(name=CONSUMER)
        events = event_log.read(consumer.seq, limit=BATCH, types=types) if types else []
        made = sum(_tasks_for(event) for event in events)
        reached = events[-1].seq if len(events) == BATCH else max(head, _last(events))
        Consumer.objects.filter(pk=consumer.pk, seq__lt=reached).update(
            seq=reached, updated_at=timezone.now()
        )
    return made


def _last(events: list[Event]) -> int:
    return (events[-1].seq or 0) if events else 0


def _tasks_for(event: Event) -> int:
    handlers = handlers_of(event.type)
    with tracing(event.trace_id, cause=f"event:{event.pk}", depth=event.causation_depth):
        for handler in handlers:
            _submit(event, handler)
    return len(handlers)


def _submit(event: Event, handler: Handler) -> None:
    task_submit(
        title=f"{handler.name} for {event.entity_type} {event.entity_id}",
        description=f"{event.type}: {handler.about}",
        task_type=handler.name,
        payload=event_log.event_dict(event),
        agent_id=settings.AGENT_IDS.get(handler.package, ""),
        unique_key=f"event:{event.pk}:{handler.name}",
        actor=ACTOR,
    )
