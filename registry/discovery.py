"""One queryset behind every route that finds agents."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q, QuerySet

from registry.health import with_health
from registry.models import Agent, AgentTrait
from registry.status import with_status

Kind = AgentTrait.Kind


def registered() -> QuerySet[Agent]:
    """The agents that are here; one that deregistered is found by nobody."""
    return Agent.objects.filter(deregistered_at=None)


def discover(
    *,
    capabilities: Iterable[str] = (),
    services: Iterable[str] = (),
    tags: Iterable[str] = (),
    status: str = "",
    min_health_score: float | None = None,
    **columns: str,
) -> QuerySet[Any]:
    """The agents that have all of the words asked for, the healthiest first, then the oldest.

    `columns` are equalities on agent_id, agent_type, chain_id, island_id; empty ones do not filter.
    An unknown value matches nobody and is no error.
    """
    agents = registered().filter(**{name: value for name, value in columns.items() if value})
    asked = ((Kind.CAPABILITY, capabilities), (Kind.SERVICE, services), (Kind.TAG, tags))
    for kind, words in asked:
        for word in dict.fromkeys(words):
            having = AgentTrait.objects.filter(kind=kind, word=word)
            agents = agents.filter(pk__in=having.values("agent_id"))
    found = with_health(agents).select_related("presence")
    if status:
        found = found.filter(computed_status=status)
    if min_health_score is not None:
        found = found.filter(health_score__gte=min_health_score)
    return found.order_by("-health_score", "registered_at", "pk")


def stats() -> dict[str, Any]:
    """Figures of the whole registry, each by query."""
    agents = registered()
    traits = AgentTrait.objects.filter(agent__in=agents)
    by_type = agents.order_by("agent_type").values_list("agent_type").annotate(Count("pk"))
    words = traits.aggregate(
        service_count=Count("word", distinct=True, filter=Q(kind=Kind.SERVICE)),
        capability_count=Count("word", distinct=True, filter=Q(kind=Kind.CAPABILITY)),
    )
    status_counts = count_by_status(agents)
    return {
        "total_agents": sum(status_counts.values()),
        "status_counts": status_counts,
        "type_counts": dict(by_type),
        **words,
        "last_cleanup": None,  # nobody is deregistered automatically
    }


def count_by_status(agents: QuerySet[Agent]) -> dict[str, int]:
    """How many of the agents have each status now."""
    rows = with_status(agents).order_by().values_list("computed_status").annotate(Count("pk"))
    return dict(rows)
