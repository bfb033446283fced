"""An agent's status: a function of time and facts, computed in SQL, never stored.

`RULES` is the only place where it is written down. Each row is a condition on one of the facts of
`with_facts`; the first that holds names the status. The same rows are read by SQL and by Python.
"""

import operator
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    F,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Now

from registry import ports
from registry.models import Agent

ACTIVE = "active"
# (status, fact, comparison, value), in the order in which they are asked.
RULES: tuple[tuple[str, str, str, Any], ...] = (
    ("inactive", "overlay_now", "exact", "disabled"),
    ("maintenance", "overlay_now", "exact", "maintenance"),
    ("inactive", "silent_ttls", "gte", 3.0),
    ("stale", "silent_ttls", "gte", 1.0),
    ("error", "reported", "exact", "error"),
    ("maintenance", "reported", "exact", "maintenance"),
    ("inactive", "reported", "exact", "inactive"),
    ("stale", "reported", "exact", "stale"),
    ("degraded", "reported", "exact", "degraded"),
    ("busy", "free_slots", "lte", 0),
    ("busy", "reported", "exact", "busy"),
)
REPORTABLE = ("active", "inactive", "busy", "stale", "degraded", "maintenance", "error")
LIVE = ("active", "busy")  # "active agents" of all figures
NEVER_SEEN_TTLS = 1e9  # an agent that was never heard has been silent for longer than any limit

_COMPARE = {"exact": operator.eq, "gte": operator.ge, "lte": operator.le}


@dataclass(frozen=True)
class Facts:
    """What the status of one agent follows from."""

    overlay_now: str  # the overlay, empty once a maintenance is over
    silent_ttls: float  # how long it has been silent, in units of its own ttl
    reported: str
    free_slots: int


def status_from(facts: Facts) -> str:
    """The status in Python: the first rule that holds."""
    for status, fact, comparison, value in RULES:
        if _COMPARE[comparison](getattr(facts, fact), value):
            return status
    return ACTIVE


class SecondsSince(Func):
    """Seconds between a stored time and the clock of the database."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((julianday('now') - julianday(%(expressions)s)) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "EXTRACT(EPOCH FROM (STATEMENT_TIMESTAMP() - %(expressions)s))::float8"
        return self.as_sql(compiler, connection, template=template, **context)


def with_facts(agents: QuerySet[Agent]) -> QuerySet[Any]:
    """Annotates `in_flight`, and the facts of the rules."""
    over = Q(overlay="maintenance", overlay_until__lte=Now())
    silence = SecondsSince(F("presence__last_seen_at")) / Cast(F("ttl_s"), FloatField())
    return agents.annotate(
        in_flight=ports.in_flight_expression(),
        overlay_now=Case(
            When(over, then=Value("")), default=F("overlay"), output_field=CharField()
        ),
        silent_ttls=Coalesce(silence, Value(NEVER_SEEN_TTLS), output_field=FloatField()),
        reported=F("presence__reported_status"),
    ).annotate(
        free_slots=Cast(F("max_concurrency"), IntegerField()) - F("in_flight"),
    )


def with_status(agents: QuerySet[Agent]) -> QuerySet[Any]:
    """Annotates `computed_status` and the facts that it follows from."""
    whens = [
        When(**{f"{fact}__{comparison}": value}, then=Value(status))
        for status, fact, comparison, value in RULES
    ]
    status = Case(*whens, default=Value(ACTIVE), output_field=CharField())
    return with_facts(agents).annotate(computed_status=status)


def facts_of(agent: Any) -> Facts:
    """The facts of an agent that was read `with_facts`."""
    return Facts(agent.overlay_now, agent.silent_ttls, agent.reported, agent.free_slots)
