"""A worker of the cycle benchmark: claims and completes until `count` tasks are completed.

`python -m bench.worker AGENT BATCH COUNT`
"""

import sys
import time

import django

django.setup()

from registry.models import Agent  # noqa: E402 (models exist only from here on)
from tasks.models import Task  # noqa: E402
from tasks.services import Report, task_claim, task_complete, tasks_complete  # noqa: E402


def work(agent: Agent, batch: int, count: int) -> None:
    """Until nothing is open."""
    while True:
        claim = task_claim(agent, maximum=batch, actor=agent.agent_id)
        if not claim.tasks:
            if Task.objects.filter(status=Task.Status.COMPLETED).count() >= count:
                return
            time.sleep(0.002)
        elif batch == 1:
            item = claim.tasks[0]
            task_complete(
                item.task,
                lease_id=item.lease_id,
                lease_epoch=item.lease_epoch,
                result={},
                actor=agent.agent_id,
            )
        else:
            reports = [
                Report(item.task.pk, item.lease_id, item.lease_epoch, {}) for item in claim.tasks
            ]
            tasks_complete(reports, agent=agent, actor=agent.agent_id)


if __name__ == "__main__":
    name, batch, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    work(Agent.objects.select_related("presence").get(agent_id=name), batch, count)
