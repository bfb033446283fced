"""For each agent the first thing that keeps a pending task from it."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from registry.health import with_health
from registry.models import Agent
from tasks.classes import ZERO, Blocker, Worker, blocker, decimals, declared, shortage
from tasks.limits import capability_keys, own_keys
from tasks.models import Breaker, ConcurrencyLimit, Lease, LimitHold, Task

# In this order they are asked; the later the first failure, the closer the agent is to the task.
PREDICATES = (
    *("registered", "deregistered", "overlay", "fresh", "status", "type", "target", "services"),
    *("capabilities", "health", "capacity", "breaker", "slots", "quantities"),
    *("capability_limit", "key_limit"),
)
AGENTS_SHOWN = 200


class Obstacles:
    """The facts of all agents that matter for one task, read once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.agents = list(self._agents())
        self.now = timezone.now()
        self.held: dict[Any, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        live = Lease.objects.filter(agent__in=self.agents, ended_at=None)
        for agent, request in live.values_list("agent", "request"):
            for key, amount in decimals(request).items():
                self.held[agent][key] += amount
        breakers = Breaker.objects.filter(task_class=task.task_class, opened_until__gt=self.now)
        self.open_until = dict(breakers.values_list("agent", "opened_until"))
        self.full_key = self._full_key()

    def _agents(self) -> QuerySet[Any]:
        rows = with_health(Agent.objects.all()).order_by("pk")
        if self.task.agent_id:
            return rows.filter(agent_id=self.task.agent_id)
        return rows[:AGENTS_SHOWN]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each agent: `{agent_id, eligible, predicate, sentence}`."""
        found = [self._row(agent.agent_id, self.first(agent)) for agent in self.agents]
        if self.task.agent_id and not found:
            unknown = Blocker("registered", "is not registered")
            return [self._row(self.task.agent_id, unknown)]
        return found

    def first(self, agent: Any) -> Blocker | None:
        """The first predicate that the agent fails for this task."""
        return (
            self._presence(agent)
            or blocker(Worker.of(agent, health=agent.health_score), self.task.task_class)
            or self._breaker(agent)
            or self._room(agent)
            or self.full_key
        )

    def _row(self, agent_id: str, first: Blocker | None) -> dict[str, Any]:
        return {
            "agent_id": agent_id,
            "eligible": first is None,
            "predicate": first.predicate if first else None,
            "sentence": first.sentence if first else "eligible: waits for the agent to claim",
        }

    def _presence(self, agent: Any) -> Blocker | None:
        if agent.deregistered_at is not None:
            return Blocker("deregistered", f"deregistered at {agent.deregistered_at:%H:%M:%S}")
        if agent.overlay_now:
            why = f": {agent.overlay_reason}" if agent.overlay_reason else ""
            return Blocker("overlay", f"{agent.overlay_now}{why}")
        if agent.silent_ttls >= 1:
            seconds = round(agent.silent_ttls * agent.ttl_s)
            heard = "was never heard" if agent.silent_ttls > 1e8 else f"silent for {seconds} s"
            return Blocker("fresh", heard)
        if agent.reported in ("error", "maintenance"):
            return Blocker("status", f"says that it is in {agent.reported}")
        return None

    def _breaker(self, agent: Any) -> Blocker | None:
        until = self.open_until.get(agent.pk)
        if until is None:
            return None
        sentence = f"failed such tasks five times in a row; tried again at {until:%H:%M:%S}"
        return Blocker("breaker", sentence)

    def _room(self, agent: Any) -> Blocker | None:
        if agent.free_slots < 1:
            return Blocker("slots", f"all {agent.max_concurrency} slots are taken")
        capacity = declared(agent.resources)
        free = {key: amount - self.held[agent.pk][key] for key, amount in capacity.items()}
        short = shortage(decimals(self.task.task_class.request), free)
        return Blocker("quantities", f"its free capacity is short by {short}") if short else None

    def _full_key(self) -> Blocker | None:
        """A limited key without a free place, which stands in every agent's way."""
        of_class = ConcurrencyLimit.objects.filter(
            key__in=capability_keys(self.task.task_class), limit__isnull=False
        )
        limits: dict[str, int] = {row.key: row.limit or 0 for row in of_class}
        for predicate, keys in (("capability_limit", limits), ("key_limit", own_keys(self.task))):
            for key, limit in keys.items():
                tasks = LimitHold.objects.filter(key=key).values_list("lease__task", flat=True)
                holders = list(tasks[: limit + 1])
                if len(holders) >= limit:
                    names = ", ".join(holders[:3]) or "nobody may hold it"
                    return Blocker(predicate, f"{key} is held to its limit of {limit}: {names}")
        return None
