"""How often, how long, how soon: the policies of a task."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.models import Task, TaskClass

RANK_STEP_S = 120  # what one point of priority is worth
RANK_SLACK_S = 30
UNKNOWN_P90_MS = 60_000
MAX_RELEASES = 20
MAX_CAUSATION_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies in force for one task; the defaults are those of the platform."""

    max_attempts: int = 5
    max_deliveries: int = 5
    lease_s: int = 60
    execution_timeout_s: int = 3600
    start_timeout_s: int = 15
    cancel_grace_s: int = 30
    queue_ttl_s: int | None = None
    on_dependency_failure: str = "cancel"  # cancel, run, wait
    on_infeasible: str = "wait"  # wait, reject
    base_s: float = 5
    factor: float = 2
    cap_s: float = 600
    jitter: float = 0.2
    non_retryable: tuple[str, ...] = ()

    def retry_delay_s(self, failures: int) -> float:
        """`min(cap, base * factor^(failures-1)) * U(1-j, 1+j)` seconds."""
        # The exponent is cut where any factor has long met the cap: no overflow.
        delay = min(self.cap_s, self.base_s * self.factor ** min(failures - 1, 64))
        spread = random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 (no secret)
        return delay * spread


NAMES = {field.name for field in fields(Policy)}


def policy_of(task: Task) -> Policy:
    """Task beats class, class beats platform."""
    return _merged(task.task_class.policy, task.policy)


def _merged(*layers: Mapping[str, Any]) -> Policy:
    values: dict[str, Any] = {}
    for layer in layers:
        flat = {**layer, **layer.get("retry", {})}
        values.update({name: value for name, value in flat.items() if name in NAMES})
    if "non_retryable" in values:
        values["non_retryable"] = tuple(values["non_retryable"])
    return Policy(**values)


def static_rank(
    *,
    enqueued_at: datetime,
    priority: int,
    deadline: datetime | None,
    p90_ms: int | None = None,
    step_s: int = RANK_STEP_S,
) -> int:
    """The place in the queue, in whole milliseconds; the lowest is served first.

    `max(t - 10 W, min(t - priority * W, deadline - p90 - slack))`: a task is overtaken only by
    tasks enqueued less than 9 W after it.
    """
    t, step = _ms(enqueued_at), step_s * 1000
    rank = t - priority * step
    if deadline is not None:
        p90 = UNKNOWN_P90_MS if p90_ms is None else p90_ms
        rank = min(rank, _ms(deadline) - p90 - RANK_SLACK_S * 1000)
    return max(t - 10 * step, rank)


def rank_of(task: Task, task_class: TaskClass, *, enqueued_at: datetime) -> int:
    """The rank of a task that enters the queue now or changes its priority."""
    return static_rank(
        enqueued_at=enqueued_at,
        priority=task.priority,
        deadline=task.deadline,
        p90_ms=task_class.p90_ms,
    )


def _ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
