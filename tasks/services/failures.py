"""What follows on a failed attempt: another one, or the dead letter queue."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from messaging.events import emit
from platform_site.common.json import instant
from tasks import events
from tasks.models import Attempt, Breaker, Lease, Task
from tasks.policies import policy_of
from tasks.services.moves import end_leases, move

BREAKER_FAILURES = 5
BREAKER_WINDOW = timedelta(seconds=60)
BREAKER_OPEN = timedelta(seconds=30)

ATTEMPTS_EXHAUSTED, MAX_DELIVERIES = "attempts_exhausted", "max_deliveries"
NON_RETRYABLE, EXPIRED = "non_retryable", "expired"


def fail_locked(
    task: Task,
    *,
    lease: Lease,
    error: dict[str, Any],
    retryable: bool = True,
    retry_after_s: float | None = None,
    lease_outcome: str = Lease.Outcome.FAILED,
    actor: str,
) -> dict[str, Any]:
    """A locked, running task failed under its live lease: `{task_id, status, next_attempt_at}`."""
    now = timezone.now()
    failures = task.failures + 1
    reason, next_at = _verdict(task, failures, error, retryable, retry_after_s, now)
    breaker_note_failure(lease, task, now)
    if task.cancel_requested_at is not None:
        # Nobody wants it any more: no other attempt, and no dead letter to look at.
        cancel_held(task, actor=actor, now=now, failures=failures, error=error)
    elif reason:
        dead_letter(
            task,
            reason=reason,
            error=error,
            now=now,
            actor=actor,
            lease=lease,
            failures=failures,
        )
    else:
        move([task], Task.Status.RETRYING, failures=failures, error=error, due_at=next_at)
        emit(
            events.TASK_RETRY_SCHEDULED,
            task,
            actor=actor,
            agent_id=lease.agent.agent_id,
            failures=failures,
            next_attempt_at=next_at,
            error=error,
        )
    next_attempt_at = instant(next_at) if task.status == Task.Status.RETRYING else None
    answer = {"status": str(task.status), "next_attempt_at": next_attempt_at}
    end_leases(
        [lease],
        lease_outcome,
        now=now,
        attempt=Attempt.Outcome.FAILED,
        answer=answer,
        error=error,
    )
    return {"task_id": task.pk, **answer}


def lose_locked(task: Task, *, lease: Lease, actor: str) -> None:
    """A locked, running task lost its worker: one lease loss; again at once, or a dead letter."""
    now = timezone.now()
    losses = task.lease_losses + 1
    agent_id = lease.agent.agent_id
    error = {
        "type": "lease_lost",
        "message": f"Agent {agent_id} was not heard within its lease of {lease.lease_s} s.",
    }
    if task.cancel_requested_at is not None:
        cancel_held(task, actor=actor, now=now, lease_losses=losses)
    elif losses >= policy_of(task).max_deliveries:
        dead_letter(
            task,
            reason=MAX_DELIVERIES,
            error=error,
            now=now,
            actor=actor,
            lease=lease,
            lease_losses=losses,
        )
    else:
        move([task], Task.Status.RETRYING, lease_losses=losses, due_at=now)
        emit(
            events.TASK_LEASE_LOST,
            task,
            actor=actor,
            agent_id=agent_id,
            lease_losses=losses,
            lease_epoch=lease.epoch,
        )
    end_leases([lease], Lease.Outcome.LOST, now=now, attempt=Attempt.Outcome.LOST, error=error)


def dead_letter(
    task: Task,
    *,
    reason: str,
    error: dict[str, Any],
    now: datetime,
    actor: str,
    lease: Lease,
    **changes: Any,
) -> None:
    """A locked, running task ends in the dead letter queue."""
    move(
        [task],
        Task.Status.FAILED,
        error=error,
        closed_at=now,
        due_at=None,
        dead_lettered_at=now,
        dead_letter_reason=reason,
        **changes,
    )
    facts = {"agent_id": lease.agent.agent_id, "reason": reason, "error": error}
    emit(events.TASK_FAILED, task, actor=actor, **facts)


def cancel_held(task: Task, *, actor: str, now: datetime, **changes: Any) -> None:
    """A locked task whose cancellation was requested ends now; the caller ends its lease."""
    move([task], Task.Status.CANCELLED, closed_at=now, due_at=None, **changes)
    emit(events.TASK_CANCELLED, task, actor=actor, reason=task.cancel_reason)


def breaker_note_failure(lease: Lease, task: Task, now: datetime) -> None:
    """Five failures in a row within a minute open the breaker; a failed probe opens it again."""
    defaults = {"window_started_at": now}
    row, _ = Breaker.objects.select_for_update(no_key=True).get_or_create(
        agent=lease.agent, task_class=task.task_class, defaults=defaults
    )
    if row.opened_until is None and now - row.window_started_at > BREAKER_WINDOW:
        row.failures, row.window_started_at = 0, now
    row.failures += 1
    if row.failures >= BREAKER_FAILURES:
        row.opened_until = now + BREAKER_OPEN
    row.save()


def _verdict(
    task: Task,
    failures: int,
    error: dict[str, Any],
    retryable: bool,
    retry_after_s: float | None,
    now: datetime,
) -> tuple[str, datetime]:
    """Why the task is a dead letter (empty: it is not), and when it would be tried again."""
    policy = policy_of(task)
    delay_s = policy.retry_delay_s(failures) if retry_after_s is None else retry_after_s
    next_at = now + timedelta(seconds=delay_s)
    if not retryable or error.get("type") in policy.non_retryable:
        return NON_RETRYABLE, next_at
    if failures >= policy.max_attempts:
        return ATTEMPTS_EXHAUSTED, next_at
    if task.deadline_binds and task.deadline is not None and next_at >= task.deadline:
        return EXPIRED, next_at
    return "", next_at
