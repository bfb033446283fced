"""What an agent may take: the classes of which a task waits for it, and what it has free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from registry.health import with_health
from registry.models import Agent
from tasks.classes import ZERO, Worker, blocker, decimals, declared, shortage
from tasks.models import ConcurrencyLimit, Lease, Task, TaskClass


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for an agent, as one statement finds it."""

    classes: list[TaskClass]
    tripped: dict[str, datetime]  # classes whose breaker tripped for it, and until when
    has_limits: bool  # of any capability

    @classmethod
    def of(cls, agent: Agent, capabilities: Sequence[str] | None) -> "Work":
        """The classes that the agent is eligible for and of which a task waits.

        `capabilities` narrows them to those that require no others.
        """
        found = _waiting(agent)
        health = 1.0
        if any(row.min_health for row in found):
            health = with_health(Agent.objects.filter(pk=agent.pk)).get().health_score
        worker = Worker.of(agent, health=health)
        wanted = None if capabilities is None else set(capabilities)
        return cls(
            classes=[
                row
                for row in found
                if blocker(worker, row) is None
                and (wanted is None or wanted.issuperset(row.capabilities))
            ],
            tripped={row.pk: row.tripped_until for row in found if row.tripped_until},
            has_limits=any(row.has_limits for row in found),
        )


def _waiting(agent: Agent) -> list[Any]:
    waiting = Task.objects.filter(task_class=OuterRef("pk"), status=Task.Status.PENDING)
    own = FilteredRelation("breakers", condition=Q(breakers__agent=agent))
    rows = TaskClass.objects.filter(Exists(waiting)).alias(own=own).order_by()
    limits = ConcurrencyLimit.objects.filter(limit__isnull=False)
    return list(rows.annotate(tripped_until=F("own__opened_until"), has_limits=Exists(limits)))


class Room:
    """What the agent has free: slots, quantities, and places that an open breaker leaves."""

    def __init__(self, agent: Agent, work: Work, now: datetime) -> None:
        live = Lease.objects.filter(agent=agent, ended_at=None).order_by()
        held = list(live.values_list("request", "task__task_class_id"))
        self.slots = agent.max_concurrency - len(held)
        self.capacity = declared(agent.resources)
        for request, _ in held:
            self._take_quantities(decimals(request))
        # While a breaker is open nothing, then one task to try.
        classes = [key for _, key in held]
        self.probes = {
            key: 0 if until > now else max(0, 1 - classes.count(key))
            for key, until in work.tripped.items()
        }
        self.classes = {row.pk: row for row in work.classes if self.fits(row)}

    def fits(self, task_class: TaskClass) -> bool:
        """Whether one more task of the class fits beside what is held."""
        if self.slots < 1 or self.probes.get(task_class.pk, 1) < 1:
            return False
        return not shortage(decimals(task_class.request), self.capacity)

    def take(self, task_class: TaskClass) -> None:
        """One more task of the class is held."""
        self.slots -= 1
        if task_class.pk in self.probes:
            self.probes[task_class.pk] -= 1
        self._take_quantities(decimals(task_class.request))

    def _take_quantities(self, request: dict[str, Decimal]) -> None:
        for key, amount in request.items():
            self.capacity[key] = self.capacity.get(key, ZERO) - amount
