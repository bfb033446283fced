"""Rows of the event log for tests."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import models, transaction

from messaging.events import emit
from messaging.models import Event
from messaging.sequencer import number_events


def make_event(
    name: str = "task.completed",
    subject: models.Model | None = None,
    *,
    entity_type: str = "task",
    entity_id: str = "42",
    actor: str = "test",
    **facts: Any,
) -> Event:
    """A numbered event, about a row or about an address that needs no row."""
    with transaction.atomic():
        event = emit(name, subject or Group(pk=0), actor=actor, **facts)
        if subject is None:
            Event.objects.filter(pk=event.pk).update(entity_type=entity_type, entity_id=entity_id)
    number_events()
    event.refresh_from_db()
    return event
