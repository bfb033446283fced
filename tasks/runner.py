"""The runner: the threads of one process that work for the built-in agents and keep time."""

import logging
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, connection

from messaging import bell
from messaging.sequencer import leave_to_tick, number_events
from registry.models import Agent
from registry.services import presence_touch
from tasks.fanout import fan_out
from tasks.handlers import discover
from tasks.held import Held
from tasks.services import due_tasks_ready
from tasks.ticker import Ticker, tickers
from tasks.worker import Worker

THREADS = 4
LOOK_EVERY_S = 2.0  # the bell may be lost
BREATH_S = 0.01
KEEP_EVERY_S = 1.0
PULSE_EVERY_S = 20.0
FINISH_WITHIN_S = 20.0

log = logging.getLogger(__name__)


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
        leave_to_tick()
        while not self.stopping.is_set():
            since = bell.count(bell.TASKS)
            try:
                if worker.work():
                    continue
                number_events()  # of the work done just now, before the tick comes
            except DatabaseError as error:
                log.warning("No work can be claimed: %s", error)
                connection.close()
                self.stopping.wait(LOOK_EVERY_S)
                continue
            connection.close()  # back to the pool while there is nothing to do
            bell.wait_in_thread(bell.TASKS, LOOK_EVERY_S, since)
            self.stopping.wait(BREATH_S)
        connection.close()

    def _keep(self) -> None:
        """Renew leases and show that the agents live, until the last worker has ended."""
        pulse_at = 0.0
        while any(thread.is_alive() for thread in self.threads) or not self.stopping.is_set():
            self.held.renew_due()
            if time.monotonic() >= pulse_at:
                pulse(self.agent_ids)
                pulse_at = time.monotonic() + PULSE_EVERY_S
            connection.close()
            if self.stopping.wait(KEEP_EVERY_S):
                time.sleep(BREATH_S)


def builtin_agents() -> list[str]:
    """The ids of the agents that are implemented here."""
    return list(settings.AGENT_IDS.values())


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
