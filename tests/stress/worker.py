"""An agent as its developer would write it, to be killed: `python -m tests.stress.worker …`.

Writes a line for each task begun and each completion acknowledged, so that the test can compare.
"""

import argparse
import os
import time
from pathlib import Path

from fleetdesk_client import Claimed, Fleetdesk, LeaseLost


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("url", "key", "agent_id", "capability", "history"):
        parser.add_argument(name)
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--work-s", type=float, default=0.002)
    given = parser.parse_args()
    history = os.open(Path(given.history), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(word: str, task: Claimed) -> None:
        os.write(history, f"{word} {task.task_id} {task.lease_epoch}\n".encode())

    fleet = Fleetdesk(given.url, given.key, agent_id=given.agent_id)
    fleet.register(given.agent_id, [given.capability], max_concurrency=10)
    fleet.recover()
    while True:
        for task in fleet.claim(given.batch, wait_s=5):
            note("begun", task)
            time.sleep(given.work_s)
            try:
                answer = fleet.complete(task, {"epoch": task.lease_epoch})
            except LeaseLost:
                note("refused", task)
            else:
                note("late" if answer["late"] else "completed", task)


if __name__ == "__main__":
    main()
