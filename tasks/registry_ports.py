"""What the registry asks the task engine: work in flight and how the latest attempts went."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean, median
from typing import Any

from django.db.models import Count, Expression, F, IntegerField, OuterRef, Subquery, Value, Window
from django.db.models.functions import Coalesce, RowNumber

from registry.ports import Outcomes
from tasks.models import Attempt, Lease

LATEST = 50
MEMORY = 0.1  # of the moving average


def in_flight(agent_pks: Iterable[int]) -> dict[int, int]:
    """Live leases by primary key of the agent."""
    live = Lease.objects.filter(agent__in=list(agent_pks), ended_at=None).order_by()
    return dict(live.values_list("agent").annotate(Count("pk")))


def in_flight_expression() -> Expression:
    """The same count on a queryset of agents."""
    live = Lease.objects.filter(agent=OuterRef("pk"), ended_at=None).order_by()
    counted = live.values("agent").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def recent_outcomes(agent_pks: Iterable[int]) -> dict[int, Outcomes]:
    """How the latest attempts of each agent went, and how fast beside everybody else's."""
    place = Window(RowNumber(), partition_by=F("agent"), order_by=F("ended_at").desc())
    ended = Attempt.objects.filter(agent__in=list(agent_pks), outcome__in=Attempt.OVER)
    latest = ended.annotate(place=place).filter(place__lte=LATEST).order_by("ended_at")
    columns = ("agent", "outcome", "task__task_type", "started_at", "ended_at")
    rows: Any = latest.values_list(*columns)
    by_type: dict[str, list[float]] = defaultdict(list)
    by_agent: dict[int, list[tuple[bool, str, float]]] = defaultdict(list)
    for agent, outcome, task_type, started_at, ended_at in rows:
        seconds = (ended_at - started_at).total_seconds()
        by_agent[agent].append((outcome == Attempt.Outcome.COMPLETED, task_type, seconds))
        if outcome == Attempt.Outcome.COMPLETED:
            by_type[task_type].append(seconds)
    return {agent: _outcomes(own, by_type) for agent, own in by_agent.items()}


def _outcomes(own: list[tuple[bool, str, float]], by_type: dict[str, list[float]]) -> Outcomes:
    success = float(own[0][0])
    for completed, _, _ in own[1:]:
        success += MEMORY * (completed - success)
    average_s = mean(seconds for _, _, seconds in own)
    usual = [seconds for task_type in {row[1] for row in own} for seconds in by_type[task_type]]
    latency = min(1.0, median(usual) / average_s) if usual and average_s else 1.0
    return Outcomes(success=success, latency=latency, average_s=average_s)
