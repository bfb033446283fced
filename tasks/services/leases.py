"""Calls of a worker about the task that it holds."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from messaging.bell import ring_after_commit
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid
from platform_site.common.json import instant
from registry.services import presence_touch
from tasks import events
from tasks.drafts import queue_times
from tasks.models import Attempt, Lease, Task
from tasks.policies import MAX_RELEASES
from tasks.refusals import IllegalTransition, LeaseLost
from tasks.services.failures import cancel_held, fail_locked
from tasks.services.moves import end_leases, locked_one, move

QUESTIONS = ("input", "auth", "approval")


@requires("task:claim")
@transaction.atomic
def task_heartbeat(
    task: Task,
    *,
    lease_id: str,
    lease_epoch: int,
    progress: float | None = None,
    note: str | None = None,
    checkpoint: Any = None,
    actor: str,
) -> dict[str, Any]:
    """Renew the lease, at most to the end of the attempt's time; progress makes no event.

    Answers `{lease_expires_at, cancel_requested, drain, deadline}`. Raises LeaseLost.
    """
    now = timezone.now()
    lease = _live(task, lease_id, lease_epoch)
    expires_at = min(now + timedelta(seconds=lease.lease_s), lease.execution_ends_at)
    said = {"progress": progress, "note": note, "checkpoint": checkpoint}
    changes = {name: value for name, value in said.items() if value is not None}
    if changes:  # the task before its lease: in this order everybody locks
        Task.objects.filter(pk=task.pk, lease_epoch=lease_epoch).update(
            version=F("version") + 1, updated_at=now, **changes
        )
    rows = Lease.objects.filter(pk=lease.pk, ended_at=None)
    if not rows.update(expires_at=expires_at):
        raise LeaseLost.of(Task.objects.get(pk=task.pk))
    presence_touch(lease.agent)
    return {
        "lease_expires_at": instant(expires_at),
        "cancel_requested": lease.task.cancel_requested_at is not None,
        "drain": lease.agent.overlay == "draining",
        "deadline": instant(lease.task.deadline),
    }


@requires("task:claim")
@transaction.atomic
def task_release(
    task: Task,
    *,
    lease_id: str,
    lease_epoch: int,
    delay_s: float = 0,
    reason: str = "",
    actor: str,
) -> dict[str, Any]:
    """Give the task back, its attempt not spent; the 21st time counts as a failure.

    Raises LeaseLost.
    """
    task, lease, repeat = _held(task, lease_id, lease_epoch, Lease.Outcome.RELEASED)
    if repeat is not None:
        return repeat
    if task.releases >= MAX_RELEASES:
        error = {"type": "released_too_often", "message": reason or "Released without a reason."}
        answer = fail_locked(
            task, lease=lease, error=error, lease_outcome=Lease.Outcome.RELEASED, actor=actor
        )
        return {"task_id": task.pk, "status": answer["status"]}
    now = timezone.now()
    release_locked(task, lease=lease, delay_s=delay_s, reason=reason, now=now, actor=actor)
    answer = {"status": str(task.status)}
    end_leases(
        [lease],
        Lease.Outcome.RELEASED,
        now=now,
        attempt=Attempt.Outcome.RELEASED,
        answer=answer,
    )
    return {"task_id": task.pk, **answer}


def release_locked(
    task: Task,
    *,
    lease: Lease,
    delay_s: float,
    reason: str,
    now: datetime,
    actor: str,
    counts: bool = True,
) -> None:
    """Back to the queue, now or after a while; `counts`: it was the worker's own wish."""
    if task.cancel_requested_at is not None:
        cancel_held(task, actor=actor, now=now)
        return
    releases = task.releases + counts
    if delay_s > 0:
        due_at = now + timedelta(seconds=delay_s)
        move([task], Task.Status.RETRYING, releases=releases, due_at=due_at)
    else:
        move([task], Task.Status.PENDING, releases=releases, **queue_times(task, now))
        ring_after_commit("tasks")
    facts = {"agent_id": lease.agent.agent_id, "status": str(task.status), "reason": reason}
    emit(events.TASK_RELEASED, task, actor=actor, **facts)


@requires("task:claim")
@transaction.atomic
def task_wait(
    task: Task,
    *,
    lease_id: str,
    lease_epoch: int,
    reason: str,
    prompt: str = "",
    form: Any = None,
    actor: str,
) -> dict[str, Any]:
    """The work needs an answer of somebody: the lease ends, the attempt goes on after the answer.

    Raises LeaseLost, Invalid.
    """
    if reason not in QUESTIONS:
        raise Invalid(f"reason is {reason!r}; it can be {', '.join(QUESTIONS)}.", field="reason")
    task, lease, repeat = _held(task, lease_id, lease_epoch, Lease.Outcome.WAITING)
    if repeat is not None:
        return repeat
    now = timezone.now()
    answer = _wait_or_cancel(task, lease, reason, prompt, form, now, actor)
    return {"task_id": task.pk, **answer}


def _wait_or_cancel(
    task: Task, lease: Lease, reason: str, prompt: str, form: Any, now: datetime, actor: str
) -> dict[str, Any]:
    attempt = Attempt.Outcome.WAITING
    if task.cancel_requested_at is not None:
        attempt = Attempt.Outcome.CANCELLED
        cancel_held(task, actor=actor, now=now)
    else:
        question = {"reason": reason, "prompt": prompt, "form": form}
        move([task], Task.Status.WAITING, question=question, answer=None)
        facts = {"agent_id": lease.agent.agent_id, "reason": reason}
        emit(events.TASK_WAITING, task, actor=actor, **facts)
    answer = {"status": str(task.status)}
    end_leases([lease], Lease.Outcome.WAITING, now=now, attempt=attempt, answer=answer)
    return answer


@requires("task:claim")
@transaction.atomic
def task_confirm_cancel(
    task: Task, *, lease_id: str, lease_epoch: int, note: str = "", actor: str
) -> dict[str, Any]:
    """The worker has stopped as it was asked to. Raises LeaseLost, IllegalTransition."""
    task, lease, repeat = _held(task, lease_id, lease_epoch, Lease.Outcome.CANCELLED)
    if repeat is not None:
        return repeat
    if task.cancel_requested_at is None:
        raise IllegalTransition(
            f"Nobody asked to cancel {task}; release it or let it fail instead.",
            **{"from": str(task.status), "to": "cancelled", "allowed": []},
        )
    now = timezone.now()
    cancel_held(task, actor=actor, now=now, note=note or task.note)
    answer = {"status": str(task.status)}
    end_leases(
        [lease],
        Lease.Outcome.CANCELLED,
        now=now,
        attempt=Attempt.Outcome.CANCELLED,
        answer=answer,
    )
    return {"task_id": task.pk, **answer}


def _live(task: Task, lease_id: str, lease_epoch: int) -> Lease:
    rows = Lease.objects.select_related("agent", "task")
    lease = rows.filter(pk=lease_id, task=task, epoch=lease_epoch, ended_at=None).first()
    if lease is None:
        raise LeaseLost.of(Task.objects.get(pk=task.pk))
    return lease


def _held(
    task: Task, lease_id: str, lease_epoch: int, kind: str
) -> tuple[Task, Lease, dict[str, Any] | None]:
    """The locked task and its lease; for a repeated call also the answer of the first."""
    task = locked_one(task)
    lease = Lease.objects.select_related("agent").filter(pk=lease_id, task=task).first()
    if lease is None or lease.epoch != lease_epoch:
        raise LeaseLost.of(task)
    if lease.ended_at is None:
        return task, lease, None
    if lease.outcome == kind and lease.answer is not None:
        return task, lease, {"task_id": task.pk, "status": lease.answer["status"]}
    raise LeaseLost.of(task)
