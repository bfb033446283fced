"""The runner: threads that work for the built-in agents, claiming tasks as everybody does."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.utils import timezone

from messaging import bell
from messaging.sequencer import number_events
from registry.models import Agent
from registry.services import presence_touch
from tasks.execution import execute
from tasks.fanout import fan_out
from tasks.handlers import discover
from tasks.held import Held, HeldTask, release
from tasks.models import Task, TaskClass
from tasks.services import due_tasks_ready, task_claim
from tasks.ticker import Ticker, tickers

THREADS = 4
LOOK_EVERY_S = 2.0  # the bell may be lost
BREATH_S = 0.01
KEEP_EVERY_S = 1.0
PULSE_EVERY_S = 20.0
MAX_BATCH = 10
FINISH_WITHIN_S = 20.0

log = logging.getLogger(__name__)


class Worker:
    """Claims for some agents and runs what it got, one task after the other."""

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
            for held in batch:
                self._run(held)
            if batch:
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

    def _run(self, held: HeldTask) -> None:
        try:
            if self.stopping.is_set():
                release(held, "The process is stopping.")
            elif not held.is_lost:
                execute(held)
        finally:
            self.held.drop(held)


class Runner:
    """The workers of one process, the keeper of their leases, and the ticks."""

    def __init__(self, agent_ids: Sequence[str], *, threads: int = THREADS) -> None:
        discover()
        self.agent_ids = list(agent_ids)
        self.held = Held()
        self.stopping = threading.Event()
        self.workers = [Worker(agent_ids, held=self.held, of=threads) for _ in range(threads)]
        self.threads = [
            threading.Thread(target=self._work, args=(worker,), name=f"runner {n}", daemon=True)
            for n, worker in enumerate(self.workers)
        ]
        self.keeper = threading.Thread(target=self._keep, name="lease keeper", daemon=True)
        self.tickers: list[Ticker] = tickers()

    def start(self) -> None:
        """Work until told to stop."""
        for thread in [*self.threads, self.keeper, *self.tickers]:
            thread.start()

    def stop_soon(self) -> None:
        """No new claims from now on; may be called from a signal handler."""
        self.stopping.set()
        for worker in self.workers:
            worker.stopping.set()
        for ticker in self.tickers:
            ticker.stopping.set()

    def finish(self, *, within_s: float = FINISH_WITHIN_S) -> int:
        """Wait for running tasks, then release the rest; returns how many were released."""
        self.stop_soon()
        bell.ring(bell.TASKS)
        bell.ring(bell.EVENTS)
        until = time.monotonic() + within_s
        for thread in [*self.threads, *self.tickers, self.keeper]:
            thread.join(max(0.0, until - time.monotonic()))
        return self.held.release_all("The process is stopping.")

    def _work(self, worker: Worker) -> None:
        while not self.stopping.is_set():
            since = bell.count(bell.TASKS)
            try:
                ran = worker.work()
            except DatabaseError as error:
                log.warning("No work can be claimed: %s", error)
                connection.close()
                self.stopping.wait(LOOK_EVERY_S)
                continue
            if not ran:
                connection.close()  # back to the pool while there is nothing to do
                bell.wait_in_thread(bell.TASKS, LOOK_EVERY_S, since)
                self.stopping.wait(BREATH_S)
        connection.close()

    def _keep(self) -> None:
        pulse_at = 0.0
        while self.held or not self.stopping.wait(KEEP_EVERY_S):
            if self.stopping.is_set() and not any(thread.is_alive() for thread in self.threads):
                break
            self.held.renew_due()
            if time.monotonic() >= pulse_at:
                pulse(self.agent_ids)
                pulse_at = time.monotonic() + PULSE_EVERY_S
            connection.close()
            if self.held:
                time.sleep(KEEP_EVERY_S)


def builtin_agents() -> list[str]:
    """The ids of the agents that are implemented here."""
    return list(settings.AGENT_IDS.values())


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


def pulse(agent_ids: Sequence[str]) -> None:
    """The agents that this process works for are alive."""
    try:
        for agent in Agent.objects.filter(agent_id__in=agent_ids):
            presence_touch(agent)
    except DatabaseError as error:
        log.warning("The agents' pulse could not be written: %s", error)


def drain() -> int:
    """Let the built-in agents work in this thread until nothing is due; how many tasks ran."""
    worker = Worker(builtin_agents(), held=Held())
    total = 0
    while True:
        number_events()
        moved = fan_out() + due_tasks_ready()
        ran = worker.work()
        total += ran
        if not ran and not moved:
            return total
