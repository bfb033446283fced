"""Submits the tasks of the cycle benchmark and prints the seconds until the last is completed.

`python -m bench.submitter BATCH COUNT WORKERS`
"""

import sys
import time
from contextlib import ExitStack
from typing import Any

import django

django.setup()

from bench.processes import PYTHON, running  # noqa: E402 (models exist only from here on)
from messaging.sequencer import number_events  # noqa: E402
from registry.services import agent_register  # noqa: E402
from tasks.models import Task  # noqa: E402
from tasks.services import task_submit, tasks_submit  # noqa: E402


def submit(count: int, batch: int) -> None:
    """One by one, or many in each transaction."""
    order: dict[str, Any] = {"title": "noop", "required_capabilities": ["bench"], "payload": {}}
    for _ in range(0, count, batch):
        if batch == 1:
            task_submit(actor="bench", **order)
        else:
            tasks_submit([order] * batch, actor="bench")


def measure(batch: int, count: int, workers: int) -> float:
    """Seconds from the first submission to the last completion; the events are numbered too."""
    with ExitStack() as stack:
        for number in range(workers):
            name = f"bench-{number}"
            agent_register(
                agent_id=name, capabilities=["bench"], max_concurrency=100, actor="bench"
            )
            command = [PYTHON, "-m", "bench.worker", name, str(batch), str(count)]
            stack.enter_context(running(command))
        time.sleep(3)
        began = time.perf_counter()
        submit(count, batch)
        while Task.objects.filter(status=Task.Status.COMPLETED).count() < count:
            time.sleep(0.01)
        number_events()
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(str(measure(*(int(word) for word in sys.argv[1:4]))))
