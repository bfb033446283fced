"""An agent as its developer would write it, in a process of its own that is there to be killed.

Writes a line for each task begun and each completion acknowledged, so that the test can compare.
"""

import logging
import multiprocessing
import os
import time
from multiprocessing.process import BaseProcess

from fleetdesk_client import Claimed, Fleetdesk

# Forked from a server that has imported this module: a start costs milliseconds, not half a second.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def start(
    url: str, key: str, agent_id: str, skill: str, history: str, work_s: float
) -> BaseProcess:
    """A process that works as this agent until it is killed."""
    given = (url, key, agent_id, skill, history, work_s)
    process = _processes.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def work(url: str, key: str, agent_id: str, skill: str, history: str, work_s: float) -> None:
    """Claim, work, complete, for ever."""
    logging.disable(logging.INFO)
    lines = os.open(history, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(word: str, task: Claimed) -> None:
        os.write(lines, f"{word} {task.task_id} {task.lease_epoch}\n".encode())

    fleet = Fleetdesk(url, key, agent_id=agent_id)
    fleet.register(agent_id, [skill], max_concurrency=10)
    fleet.recover()
    while True:
        tasks = fleet.claim(5, wait_s=5)
        for task in tasks:
            note("begun", task)
            time.sleep(work_s)
        done = [(task, {"epoch": task.lease_epoch}) for task in tasks]
        for task, told in zip(tasks, fleet.complete_many(done) if done else [], strict=True):
            note("refused" if "code" in told else "late" if told["late"] else "completed", task)
