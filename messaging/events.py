"""`emit`: the one way in which anything is said to have happened."""

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction

from messaging.models import Event
from messaging.sequencer import number_after_commit
from platform_site.common.context import causation_depth, causation_id, trace_id
from platform_site.common.rows import insert_rows


def emit(name: str, subject: models.Model, /, *, actor: str, **facts: Any) -> Event:
    """Write that `name` happened to `subject`, in the running transaction of the service.

    The event is numbered and heard after the commit, and exists exactly if the change does.
    """
    event = _event(name, subject, actor, facts)
    insert_rows([event])
    number_after_commit()
    return event


def emit_many(
    name: str, subjects: Iterable[tuple[models.Model, dict[str, Any]]], *, actor: str
) -> None:
    """The bulk form: one event for each subject and its facts, in one statement."""
    rows = [_event(name, subject, actor, facts) for subject, facts in subjects]
    if rows:
        insert_rows(rows, with_keys=False)
        number_after_commit()


def entity_of(subject: models.Model) -> tuple[str, str]:
    """The address of a row in the log: (`task`, its id, or the `entity_id` that it names)."""
    entity_id = getattr(subject, "entity_id", None) or subject.pk
    return str(subject._meta.model_name), str(entity_id)


def _event(name: str, subject: models.Model, actor: str, facts: dict[str, Any]) -> Event:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{name} is emitted outside a transaction.")
    entity_type, entity_id = entity_of(subject)
    return Event(
        type=name,
        entity_type=entity_type,
        entity_id=entity_id,
        entity_version=getattr(subject, "version", 0),
        actor=actor,
        trace_id=trace_id.get(),
        causation_id=causation_id.get(),
        causation_depth=causation_depth.get(),
        data=facts,
    )
