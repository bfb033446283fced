"""What submitters and operators do with a task: change, cancel, answer, redrive, retry now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from messaging.bell import ring_after_commit
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid
from tasks import events
from tasks.classes import class_of
from tasks.drafts import queue_times
from tasks.models import ConcurrencyLimit, Redrive, Task, TaskClass
from tasks.policies import rank_of
from tasks.refusals import IllegalTransition, NotUnique
from tasks.services.diffs import differences
from tasks.services.moves import close_waiting_attempts, locked_one, move


class _Same:
    """The value of an argument that was not given, where None means something."""


SAME: Final = _Same()


@requires("task:update")
@transaction.atomic
def task_change(
    task: Task,
    *,
    priority: int | None = None,
    deadline: datetime | _Same | None = SAME,
    metadata: Mapping[str, Any] | None = None,
    actor: str,
) -> Task:
    """Change an open task; a new priority or deadline gives it another place in the queue.

    Raises IllegalTransition if it is closed.
    """
    task = locked_one(task)
    if not task.is_open:
        raise IllegalTransition.of(task, "changed")
    changes: dict[str, Any] = {}
    if priority is not None:
        changes["priority"], changes["priority_word"] = priority, ""
    if not isinstance(deadline, _Same):
        changes["deadline"] = deadline
        changes["deadline_binds"] = deadline is not None and deadline > timezone.now()
    if metadata is not None:
        changes["metadata"] = dict(metadata)
    for name, value in changes.items():
        setattr(task, name, value)
    if "priority" in changes or "deadline" in changes:
        queued_at = task.ready_at or task.created_at
        changes["rank"] = task.rank = rank_of(task, task.task_class, enqueued_at=queued_at)
    if not changes:
        return task
    Task.objects.filter(pk=task.pk).update(
        version=F("version") + 1, updated_at=timezone.now(), **changes
    )
    task.version += 1
    asked = sorted({"priority", "deadline", "metadata"} & set(changes))
    emit(events.TASK_CHANGED, task, actor=actor, fields=asked)
    return task


@requires("task:cancel")
@transaction.atomic
def task_cancel(task: Task, *, reason: str = "", actor: str) -> Task:
    """Nobody wants the task any more: at once, or, where an agent holds it, once the agent stops.

    The agent hears of it in its next lease answer; after the grace its lease is revoked. Asking
    again changes nothing. Raises IllegalTransition if it is closed.
    """
    task = locked_one(task)
    if task.status not in Task.LEASED:
        move([task], Task.Status.CANCELLED, closed_at=timezone.now(), cancel_reason=reason)
        close_waiting_attempts([task], timezone.now())
        emit(events.TASK_CANCELLED, task, actor=actor, reason=reason)
        return task
    if task.cancel_requested_at is not None:
        return task
    task.cancel_requested_at, task.cancel_reason = timezone.now(), reason
    Task.objects.filter(pk=task.pk).update(
        version=F("version") + 1,
        updated_at=task.cancel_requested_at,
        cancel_requested_at=task.cancel_requested_at,
        cancel_reason=reason,
    )
    task.version += 1
    emit(events.TASK_CANCEL_REQUESTED, task, actor=actor, reason=reason)
    return task


@requires("task:update")
@transaction.atomic
def task_answer(task: Task, *, answer: Any, actor: str) -> Task:
    """Answer what a waiting task asked; the same attempt goes on. Raises IllegalTransition."""
    task = locked_one(task)
    if task.status != Task.Status.WAITING:
        raise IllegalTransition.of(task, "answered")
    now = timezone.now()
    move([task], Task.Status.PENDING, answer=answer, resumes=True, **queue_times(task, now))
    emit(events.TASK_RESUMED, task, actor=actor)
    ring_after_commit("tasks")
    return task


@requires("task:redrive")
@transaction.atomic
def task_retry_now(task: Task, *, actor: str) -> Task:
    """Do not wait for the next attempt of a retrying task. Raises IllegalTransition."""
    task = locked_one(task)
    if task.status != Task.Status.RETRYING:
        raise IllegalTransition.of(task, "retried now")
    move([task], Task.Status.PENDING, **queue_times(task, timezone.now()))
    emit(events.TASK_READY, task, actor=actor, **{"from": str(Task.Status.RETRYING)})
    ring_after_commit("tasks")
    return task


@requires("task:redrive")
@transaction.atomic
def task_redrive(
    task: Task,
    *,
    payload: Any = SAME,
    agent_id: str | None = None,
    reason: str = "",
    actor: str,
) -> Task:
    """Run a failed, expired or cancelled task again: a new attempt, all counters from the start.

    The payload as it was is kept with what was changed. Raises IllegalTransition, NotUnique.
    """
    task = locked_one(task)
    if task.is_open:
        raise IllegalTransition.of(task, "redriven")
    now = timezone.now()
    changes = _target(task, agent_id)
    before = task.payload
    if payload is not SAME:
        changes["payload"] = payload
    if task.deadline_binds and task.deadline is not None and task.deadline <= now:
        changes["deadline_binds"] = False  # it would expire again before anybody could take it
    _restart(task, changes, now)
    edits = differences(before, task.payload)
    Redrive.objects.create(
        task=task, actor=actor, reason=reason, payload_before=before, changes=edits
    )
    emit(events.TASK_REDRIVEN, task, actor=actor, reason=reason, changes=edits)
    ring_after_commit("tasks")
    return task


def _target(task: Task, agent_id: str | None) -> dict[str, Any]:
    """The columns that send a task to another agent, or to any if the id is empty."""
    if agent_id is None or agent_id == task.agent_id:
        return {}
    old = task.task_class
    new = class_of(
        capabilities=old.capabilities,
        services=old.services,
        agent_type=old.agent_type,
        agent_id=agent_id,
        min_health=old.min_health,
        resources=old.request,
    )
    TaskClass.objects.bulk_create([new], ignore_conflicts=True)
    return {"agent_id": agent_id, "task_class": new}


def _restart(task: Task, changes: dict[str, Any], now: datetime) -> None:
    try:
        with transaction.atomic():
            move(
                [task],
                Task.Status.PENDING,
                **queue_times(task, now),
                rank=rank_of(task, task.task_class, enqueued_at=now),
                failures=0,
                lease_losses=0,
                releases=0,
                resumes=False,
                closed_at=None,
                cancel_requested_at=None,
                cancel_reason="",
                dead_lettered_at=None,
                dead_letter_reason="",
                unique_held=_holds_again(task),
                **changes,
            )
    except IntegrityError as error:
        raise NotUnique(
            f"Another open task holds the unique key {task.unique_key}; close that one first."
        ) from error


def _holds_again(task: Task) -> bool:
    return bool(task.unique_key) and task.unique_scope != Task.UniqueScope.TTL


@requires("system:config")
@transaction.atomic
def limit_set(*, key: str, limit: int | None, actor: str) -> ConcurrencyLimit:
    """How many live leases may hold `capability:<word>` at once, in the whole fleet; None: any.

    Raises Invalid.
    """
    if not key.startswith("capability:") or (limit is not None and limit < 0):
        raise Invalid("A limit is a number of at least 0 for `capability:<word>`.", field="key")
    row, _ = ConcurrencyLimit.objects.update_or_create(key=key, defaults={"limit": limit})
    emit(events.LIMIT_CHANGED, row, actor=actor, key=key, limit=limit)
    return row
