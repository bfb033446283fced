"""The tick `watch`: what changed by the mere passing of time becomes an event."""

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from messaging.events import emit_many
from registry import events, ports
from registry.models import Agent, Presence
from registry.status import with_facts, with_status

ACTOR = "system"


def watch() -> int:
    """Every 5 s: measure outcomes, notice drained agents and changed statuses; counts these."""
    registered = Agent.objects.filter(deregistered_at=None)
    _measure(registered)
    _notice_drained(registered)
    return observe(registered)


def observe(agents: QuerySet[Agent]) -> int:
    """Compare computed with observed status; each change is one event, whoever sees it first."""
    rows = list(with_status(agents).exclude(computed_status=F("observed_status")))
    if not rows:
        return 0
    with transaction.atomic():
        moved = [
            (agent, _status_facts(agent))
            for agent in rows
            if Agent.objects.filter(pk=agent.pk, observed_status=agent.observed_status).update(
                observed_status=agent.computed_status
            )
        ]
        emit_many(events.AGENT_STATUS_CHANGED, moved, actor=ACTOR)
    return len(moved)


def _status_facts(agent: Agent) -> dict[str, str]:
    status: str = agent.computed_status  # type: ignore[attr-defined]  # annotated
    return {"agent_id": agent.agent_id, "status": status, "previous": agent.observed_status}


def _notice_drained(agents: QuerySet[Agent]) -> None:
    draining = agents.filter(overlay=Agent.Overlay.DRAINING, drained_at=None)
    rows = list(with_facts(draining).filter(in_flight=0))
    if not rows:
        return
    with transaction.atomic():
        drained = [
            (agent, {"agent_id": agent.agent_id})
            for agent in rows
            if draining.filter(pk=agent.pk).update(drained_at=timezone.now())
        ]
        emit_many(events.AGENT_DRAINED, drained, actor=ACTOR)


def _measure(agents: QuerySet[Agent]) -> None:
    """Averages over attempts are too dear for every discovery, so they are refreshed here."""
    outcomes = ports.recent_outcomes(agents.values_list("pk", flat=True))
    changed = []
    for row in Presence.objects.filter(agent_id__in=outcomes):
        latest = outcomes[row.agent_id]
        measured = (latest.success, latest.latency, latest.average_s)
        if measured != (row.success, row.latency, row.average_s):
            row.success, row.latency, row.average_s = measured
            changed.append(row)
    if changed:
        Presence.objects.bulk_update(changed, ["success", "latency", "average_s"])
