"""One worker: claims for the built-in agents, runs what it got, tells what came of it."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from registry.models import Agent
from tasks.execution import Outcome, execute, tell, tell_results
from tasks.held import Held, HeldTask, release
from tasks.models import Task, TaskClass
from tasks.services import task_claim

MAX_BATCH = 10
TELL_EVERY_S = 0.25  # results of a batch are told together, but no later than this


class Worker:
    """Works for some agents in one thread, one task after the other."""

    def __init__(self, agent_ids: Sequence[str], *, held: Held, of: int = 1) -> None:
        self.agent_ids = list(agent_ids)
        self.held = held
        self.share = of  # how many workers share the work
        self.stopping = threading.Event()
        self._turn = itertools.count()

    def work(self) -> int:
        """Run what one agent has to do at present; how many tasks that were."""
        for agent_id, waiting in self._in_turn(waiting_work(self.agent_ids)):
            maximum = max(1, min(MAX_BATCH, waiting // (2 * self.share)))
            batch = self._claim(agent_id, maximum)
            if batch:
                self._run(batch)
                return len(batch)
        return 0

    def _in_turn(self, waiting: dict[str, int]) -> Iterator[tuple[str, int]]:
        """Each time another agent first, so that a long queue delays only its own agent."""
        agents = sorted(waiting)
        start = next(self._turn) % len(agents) if agents else 0
        for agent_id in agents[start:] + agents[:start]:
            yield agent_id, waiting[agent_id]

    def _claim(self, agent_id: str, maximum: int) -> list[HeldTask]:
        agent = Agent.objects.select_related("presence").get(agent_id=agent_id)
        claim = task_claim(agent, maximum=maximum, actor=agent_id)
        batch = [
            HeldTask(
                agent_id=agent_id,
                task=item.task,
                lease_id=item.lease_id,
                lease_epoch=item.lease_epoch,
                attempt=item.attempt,
                lease_s=(item.lease_expires_at - timezone.now()).total_seconds(),
            )
            for item in claim.tasks
        ]
        for held in batch:
            self.held.add(held)
        return batch

    def _run(self, batch: list[HeldTask]) -> None:
        done: list[tuple[HeldTask, Outcome]] = []
        told_at = time.monotonic()
        for held in batch:
            if self.stopping.is_set():
                release(held, "The process is stopping.")
                self.held.drop(held)
            elif not held.is_lost:
                self._run_one(held, done)
            if time.monotonic() - told_at > TELL_EVERY_S:
                self._tell(done)
                told_at = time.monotonic()
        self._tell(done)

    def _run_one(self, held: HeldTask, done: list[tuple[HeldTask, Outcome]]) -> None:
        outcome = execute(held)
        if outcome.is_result:
            done.append((held, outcome))
        else:
            tell(held, outcome)
            self.held.drop(held)

    def _tell(self, done: list[tuple[HeldTask, Outcome]]) -> None:
        tell_results(done)
        for held, _ in done:
            self.held.drop(held)
        done.clear()


def waiting_work(agent_ids: Sequence[str]) -> dict[str, int]:
    """How many pending tasks each of the agents may claim."""
    pending = Task.objects.filter(status=Task.Status.PENDING).order_by()
    counts = dict(pending.values_list("task_class").annotate(Count("pk")))
    if not counts:
        return {}
    waiting: dict[str, int] = {}
    for task_class in TaskClass.objects.filter(pk__in=counts):
        for agent_id in _may_do(task_class, agent_ids):
            waiting[agent_id] = waiting.get(agent_id, 0) + counts[task_class.pk]
    return waiting


def _may_do(task_class: TaskClass, agent_ids: Sequence[str]) -> list[str]:
    """Whom to ask; whether it really may, the claim decides."""
    if task_class.agent_id:
        return [task_class.agent_id] if task_class.agent_id in agent_ids else []
    wanted = set(task_class.capabilities)
    able = settings.AGENT_CAPABILITIES
    return [agent_id for agent_id in agent_ids if wanted and wanted <= able[agent_id]]
