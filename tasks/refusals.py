"""What the task engine says no to."""

from platform_site.common.errors import Refusal, TransitionNotAllowed
from tasks.models import Task


class IllegalTransition(TransitionNotAllowed):
    """The move is not in the table of task states."""

    code = "illegal_transition"

    @classmethod
    def of(cls, task: Task, wanted: str) -> "IllegalTransition":
        """The refusal in words: what is, and what can be done."""
        allowed = sorted(str(status) for status in Task.TRANSITIONS[Task.Status(task.status)])
        said = f"{task} is {task.status}"
        said += f"; it can become {', '.join(allowed)}" if allowed else ", which is final"
        return cls(
            f"{said}, not {wanted}." if allowed else f"{said}.",
            **{"from": str(task.status), "to": str(wanted), "allowed": allowed},
        )


class LeaseLost(Refusal):
    """The caller does not hold the task: its lease ended, or somebody else has a newer one."""

    code = "lease_lost"

    @classmethod
    def of(cls, task: Task) -> "LeaseLost":
        """The refusal with what the worker needs to understand it."""
        return cls(
            f"The lease on {task} is not yours any more: it is {task.status} "
            f"at epoch {task.lease_epoch}. Drop the work and claim anew.",
            state=str(task.status),
            current_epoch=task.lease_epoch,
        )


class IdTaken(Refusal):
    """A task with this id exists and says something else."""

    code = "task_id_taken"


class NotUnique(Refusal):
    """Another task holds the unique key and the submitter asked to be refused then."""

    code = "not_unique"
