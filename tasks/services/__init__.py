"""Every change of a task. Edges, handlers and other domains call these and nothing else."""

from tasks.services.claim import Claim, Claimed, task_claim
from tasks.services.control import (
    limit_set,
    task_answer,
    task_cancel,
    task_change,
    task_redrive,
    task_retry_now,
)
from tasks.services.leases import (
    task_confirm_cancel,
    task_heartbeat,
    task_release,
    task_wait,
)
from tasks.services.orphans import orphan_accept, orphan_discard
from tasks.services.recover import tasks_recover
from tasks.services.results import Report, task_complete, task_fail, tasks_complete
from tasks.services.submit import job_enqueue, task_submit, tasks_submit
from tasks.services.sweeps import (
    classes_measure,
    deadlines_expire,
    due_tasks_ready,
    leases_end,
    leases_reap,
)

__all__ = [
    "Claim",
    "Claimed",
    "Report",
    "classes_measure",
    "deadlines_expire",
    "due_tasks_ready",
    "job_enqueue",
    "leases_end",
    "leases_reap",
    "limit_set",
    "orphan_accept",
    "orphan_discard",
    "task_answer",
    "task_cancel",
    "task_change",
    "task_claim",
    "task_complete",
    "task_confirm_cancel",
    "task_fail",
    "task_heartbeat",
    "task_redrive",
    "task_release",
    "task_retry_now",
    "task_submit",
    "task_wait",
    "tasks_complete",
    "tasks_recover",
    "tasks_submit",
]
