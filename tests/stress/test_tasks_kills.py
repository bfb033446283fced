"""Agents that are killed and agents that oversleep: nothing is lost, nothing completes twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import httpx
import pytest

from tests.stress.platform import Platform
from tests.stress.worker import start

pytestmark = [pytest.mark.stress, pytest.mark.parametrize("database", ["sqlite", "postgres"])]
FULL = os.environ.get("STRESS") == "full"
TASKS = int(os.environ.get("STRESS_TASKS", 5000 if FULL else 600))
WORKERS = 16
KILL_EVERY_S = 0.3
PATIENCE_S = 600 if FULL else 90
SHORTEST_LEASE_S = 10


def submit(platform: Platform, count: int, **fields) -> list[str]:
    """So many tasks, in batches; their ids."""
    ids: list[str] = []
    while len(ids) < count:
        tasks = [
            {"title": f"Task {n}", "description": "", "required_capabilities": ["paint"], **fields}
            for n in range(min(100, count - len(ids)))
        ]
        url = f"{platform.url}/api/v1/tasks/batch"
        answer = httpx.post(url, json={"tasks": tasks}, headers=platform.headers, timeout=60)
        answer.raise_for_status()
        ids.extend(row["task"]["id"] for row in answer.json()["results"])
    return ids


def worker(platform: Platform, name: str, skill: str, *, work_s: float = 0.002) -> BaseProcess:
    """A process that works as the agent `name`."""
    lines = str(platform.folder / "history")
    return start(platform.url, platform.key, name, skill, lines, work_s)


def history(platform: Platform) -> list[list[str]]:
    """The words that the workers wrote: what happened, task, epoch."""
    path = platform.folder / "history"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def told(platform: Platform, word: str) -> set[str]:
    """The tasks of which a worker said so."""
    return {task for said, task, _ in history(platform) if said == word}


def completions(platform: Platform) -> dict[str, int]:
    """How often each task was completed."""
    events = "SELECT entity_id FROM messaging_event WHERE type = 'task.completed'"
    return dict(Counter(row[0] for row in platform.sql(events)))


def status_of(platform: Platform, task_id: str) -> str:
    """The status of a task in the database."""
    [(status,)] = platform.sql(f"SELECT status FROM tasks_task WHERE id = '{task_id}'")
    return str(status)


def wait_until(holds: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
    """Poll until it holds; fail the test if it does not in time."""
    until = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > until:
            pytest.fail("It did not happen in time.")
        time.sleep(0.1)


def end(processes: list[BaseProcess]) -> None:
    """Kill what was started here and wait for it."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def test_killed_workers_lose_no_task_and_complete_none_twice(database):
    """R1: 16 worker processes, one of them killed with -9 each 0.3 s."""
    seed = int(os.environ.get("STRESS_SEED", time.time_ns() % 1_000_000))
    print(f"STRESS_SEED={seed}")  # noqa: T201 (a failure has to be repeatable)
    chance = random.Random(seed)
    with Platform(database, agents=False) as platform:
        ids = submit(platform, TASKS, lease_s=SHORTEST_LEASE_S)
        workers = [worker(platform, f"painter-{n}", "paint") for n in range(WORKERS)]
        kills = 0
        try:

            def kill_one() -> bool:
                nonlocal kills
                time.sleep(KILL_EVERY_S)
                n = chance.randrange(WORKERS)
                end([workers[n]])
                workers[n] = worker(platform, f"painter-{n}", "paint")
                kills += 1
                open_tasks = "SELECT count(*) FROM tasks_task WHERE status <> 'completed'"
                return platform.sql(open_tasks) == [(0,)]

            wait_until(kill_one)
        finally:
            end(workers)
        print(f"{TASKS} tasks, {kills} kills")  # noqa: T201

        assert completions(platform) == dict.fromkeys(ids, 1)
        accepted = [line for line in history(platform) if line[0] in ("completed", "late")]
        assert len({task for _, task, _ in accepted}) == len(accepted)
        platform.assert_sound()


def test_who_oversleeps_is_accepted_late_or_refused_but_never_counted_twice(database):
    """R2: SIGSTOP beyond the lease, once without and once with a second worker in between."""
    with Platform(database, agents=False) as platform:
        policy = {"lease_s": SHORTEST_LEASE_S, "retry": {"base_s": 1}}
        [alone] = submit(platform, 1, agent_id="sleeper-1", **policy)
        [shared] = submit(platform, 1, required_capabilities=["draw"], **policy)
        sleepers = [
            worker(platform, "sleeper-1", "paint", work_s=1.5),
            worker(platform, "sleeper-2", "draw", work_s=1.5),
        ]
        workers = list(sleepers)
        try:
            wait_until(lambda: {alone, shared} <= told(platform, "begun"))
            for sleeper in sleepers:
                os.kill(sleeper.pid, signal.SIGSTOP)
            workers.append(worker(platform, "helper", "draw"))
            wait_until(lambda: shared in told(platform, "completed"))
            wait_until(lambda: status_of(platform, alone) in ("pending", "retrying"))

            for sleeper in sleepers:
                os.kill(sleeper.pid, signal.SIGCONT)

            wait_until(lambda: alone in told(platform, "late"))
            wait_until(lambda: shared in told(platform, "refused"))
        finally:
            end(workers)
        assert completions(platform) == {alone: 1, shared: 1}
        orphans = platform.sql("SELECT task_id, status FROM tasks_orphanresult")
        assert orphans == [(shared, "stored")]
        platform.assert_sound()
