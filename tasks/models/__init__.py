"""The rows of the task engine."""

from tasks.models.classes import Breaker, ConcurrencyLimit, LimitHold, TaskClass
from tasks.models.leases import Attempt, Lease, OrphanResult, Redrive
from tasks.models.runtime import Consumer, TickLease
from tasks.models.task import Task, TaskDependency

__all__ = [
    "Attempt",
    "Breaker",
    "ConcurrencyLimit",
    "Consumer",
    "Lease",
    "LimitHold",
    "OrphanResult",
    "Redrive",
    "Task",
    "TaskClass",
    "TaskDependency",
    "TickLease",
]
