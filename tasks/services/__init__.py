"""Every change of a task. Edges, handlers and other domains call these and nothing else."""

from tasks.services.claim import Claim, Claimed, task_claim
from tasks.services.submit import job_enqueue, task_submit, tasks_submit

__all__ = ["Claim", "Claimed", "job_enqueue", "task_claim", "task_submit", "tasks_submit"]
