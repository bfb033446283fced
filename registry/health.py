"""The health score, with the parts that explain it."""

from typing import Any

from django.db.models import Case, F, FloatField, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest, Round

from registry.models import Agent
from registry.status import with_status

WEIGHTS = {"freshness": 0.3, "checks": 0.2, "success": 0.3, "latency": 0.1, "headroom": 0.1}


def with_health(agents: QuerySet[Agent]) -> QuerySet[Any]:
    """Annotates status, `health_score` and its parts (`health_freshness`, …), each 0 to 1.

    A part without data is 1. Nobody probes yet, so `checks` has none.
    """
    parts = {
        "freshness": Case(
            When(silent_ttls__lte=1.0, then=Value(1.0)),
            When(silent_ttls__gte=3.0, then=Value(0.0)),
            default=(Value(3.0) - F("silent_ttls")) / Value(2.0),
            output_field=FloatField(),
        ),
        "checks": Value(1.0, output_field=FloatField()),
        "success": Coalesce(F("presence__success"), Value(1.0), output_field=FloatField()),
        "latency": Coalesce(F("presence__latency"), Value(1.0), output_field=FloatField()),
        "headroom": Greatest(
            Value(0.0),
            Cast(F("free_slots"), FloatField()) / Cast(F("max_concurrency"), FloatField()),
        ),
    }
    rows = with_status(agents).annotate(**{f"health_{name}": part for name, part in parts.items()})
    score: Any = sum(
        (Value(weight) * F(f"health_{name}") for name, weight in WEIGHTS.items()), Value(0.0)
    )
    return rows.annotate(health_score=Round(score, 3, output_field=FloatField()))


def parts_of(agent: Any) -> dict[str, float]:
    """The parts of the score of an agent that was read `with_health`."""
    return {name: round(getattr(agent, f"health_{name}"), 3) for name in WEIGHTS}
