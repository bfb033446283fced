"""Events as people read them: the timeline of a record, the facts of an event in one line."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from messaging.events import entity_of
from messaging.models import Event
from platform_site.common.admin import Entry

AGENT, PERSON, SYSTEM, PROGRAM = "smart_toy", "person", "settings", "key"
FACTS_SHOWN = 4
LONGEST_FACT = 60


def history(*subjects: models.Model, limit: int = 100, where: Q | None = None) -> list[Entry]:
    """The latest events about these rows, or about whatever `where` finds besides."""
    condition = where or Q()
    for subject in subjects:
        entity_type, entity_id = entity_of(subject)
        condition |= Q(entity_type=entity_type, entity_id=entity_id)
    return entries(Event.objects.filter(condition).order_by("-pk")[:limit])


def entries(events: Iterable[Event]) -> list[Entry]:
    """One line of the timeline for each event."""
    return [
        Entry(
            at=event.created_at,
            icon=actor_icon(event.actor),
            title=event.type,
            actor=event.actor,
            note=facts_line(event.data, about=event.entity_id),
            url=reverse("admin:messaging_event_change", args=(event.pk,)),
        )
        for event in events
    ]


def facts_line(data: dict[str, Any], *, about: str = "") -> str:
    """The first facts of an event, `previous: active, status: stale`, without its subject's id."""
    shown = [
        f"{name}: {_short(value)}"
        for name, value in data.items()
        if value not in (None, "", [], {}) and str(value) != about
    ]
    return ", ".join(shown[:FACTS_SHOWN])


def actor_icon(actor: str) -> str:
    """Who it was at a glance: an agent, a program, the platform itself or a person."""
    if actor.startswith("agent:") or actor.endswith("_v3"):
        return AGENT
    if actor.startswith("service:"):
        return PROGRAM
    return SYSTEM if actor in ("system", "anonymous", "") else PERSON


def entity_url(entity_type: str, entity_id: str) -> str:
    """The console page of what an event is about; empty if it has none."""
    model = _models().get(entity_type)
    if model is None:
        return ""
    meta = model._meta
    page = f"admin:{meta.app_label}_{meta.model_name}"
    try:
        if hasattr(model, "entity_id"):  # known by a name of its own, not by its key
            return f"{reverse(f'{page}_changelist')}?{urlencode({'q': entity_id})}"
        return reverse(f"{page}_change", args=(entity_id,))
    except NoReverseMatch:
        return ""


def _models() -> dict[str, type[models.Model]]:
    return {str(model._meta.model_name): model for model in apps.get_models()}


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_FACT else f"{text[:LONGEST_FACT]}…"
