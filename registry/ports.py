"""What the registry has to know of work; the tasks layer fills these in `AppConfig.ready()`."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Expression

from platform_site.common.ports import Port


@dataclass(frozen=True)
class Outcomes:
    """How an agent's latest attempts went.

    `success`: moving average (0.1) of its attempts, completed 1, failed or lost 0. `latency`:
    min(1, median of all attempts of the same task types / own average). `average_s`: own average
    duration.
    """

    success: float
    latency: float
    average_s: float


# Live leases by primary key of the agent; agents without one may be absent.
in_flight: Port[[Iterable[int]], dict[int, int]] = Port("registry.in_flight")

# The same count as an integer expression (0, never null) on a queryset of Agent.
in_flight_expression: Port[[], Expression] = Port("registry.in_flight_expression")

# By primary key of the agent; agents that never ended an attempt are absent.
recent_outcomes: Port[[Iterable[int]], dict[int, Outcomes]] = Port("registry.recent_outcomes")


# leases_end(agent, reason="deregistered", actor="alice"): ends the agent's leases at once, in the
# transaction of the caller, and returns how many tasks went back to the queue, nothing spent.
leases_end: Port[..., int] = Port("registry.leases_end")
