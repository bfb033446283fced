"""What time does to tasks: they become due, they expire, leases run out."""

from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from messaging.bell import ring_after_commit
from messaging.events import emit_many
from registry.models import Agent
from tasks import events
from tasks.drafts import queue_times
from tasks.models import Attempt, Lease, Task, TaskClass, TaskDependency
from tasks.policies import policy_of
from tasks.services.failures import EXPIRED, cancel_held, fail_locked, lose_locked
from tasks.services.leases import release_locked
from tasks.services.moves import (
    PerTask,
    close_waiting_attempts,
    end_leases,
    live_leases,
    locked,
    move,
)

CHUNK = 200
WAITS_FOR_TIME = (Task.Status.SCHEDULED, Task.Status.RETRYING)
SYSTEM = "system"
MEASURED_OVER = timedelta(hours=24)
MEASURED_ATTEMPTS = 1000


def due_tasks_ready() -> int:
    """Queue scheduled and retrying tasks that are due and not held by a dependency: how many."""
    done = _dependents_cancel()
    while moved := _ready_chunk():
        done += moved
    return done


@transaction.atomic
def _ready_chunk() -> int:
    now = timezone.now()
    runs_anyway = Q(policy__on_dependency_failure="run")
    rows = _due(now).filter(~OPEN_DEPENDENCY).filter(~FAILED_DEPENDENCY | runs_anyway)
    keys = rows.values_list("pk", flat=True)[:CHUNK]
    tasks = [task for task in locked(keys, skip=True) if task.status in WAITS_FOR_TIME]
    for status in WAITS_FOR_TIME:
        moved = [task for task in tasks if task.status == status]
        times = {task.pk: queue_times(task, now) for task in moved}
        move(
            moved,
            Task.Status.PENDING,
            due_at=None,
            ready_at=now,
            queue_expires_at=PerTask((pk, row["queue_expires_at"]) for pk, row in times.items()),
        )
        facts = {"from": str(status)}
        emit_many(events.TASK_READY, [(task, facts) for task in moved], actor=SYSTEM)
    if tasks:
        ring_after_commit("tasks")
    return len(tasks)


def _due(now: datetime) -> QuerySet[Task]:
    rows = Task.objects.filter(status__in=WAITS_FOR_TIME, due_at__lte=now)
    return rows.order_by("due_at", "pk")


def _dependency(status: Q) -> Exists:
    return Exists(TaskDependency.objects.filter(status, task=OuterRef("pk")))


OPEN_DEPENDENCY = _dependency(Q(on__status__in=Task.OPEN))
FAILED_DEPENDENCY = _dependency(~Q(on__status__in=[*Task.OPEN, Task.Status.COMPLETED]))


@transaction.atomic
def _dependents_cancel() -> int:
    """Tasks whose dependency ended otherwise than completed are not wanted, unless they say so."""
    rows = Task.objects.filter(FAILED_DEPENDENCY, status=Task.Status.SCHEDULED).order_by("pk")
    # Those that run anyway or wait were decided on by their submitters; they stand in nobody's way.
    rows = rows.exclude(pk__in=rows.filter(policy__on_dependency_failure__in=["run", "wait"]))
    tasks = [
        task
        for task in locked(rows.values_list("pk", flat=True)[:CHUNK], skip=True)
        if task.status == Task.Status.SCHEDULED
        and policy_of(task).on_dependency_failure == "cancel"
    ]
    reason = "A task that it depends on was not completed."
    move(tasks, Task.Status.CANCELLED, closed_at=timezone.now(), cancel_reason=reason)
    emit_many(events.TASK_CANCELLED, [(task, {"reason": reason}) for task in tasks], actor=SYSTEM)
    return len(tasks)


def deadlines_expire() -> int:
    """Tasks that nobody holds and whose deadline or time in the queue is over: how many."""
    done = 0
    while moved := _expire_chunk():
        done += moved
    return done


@transaction.atomic
def _expire_chunk() -> int:
    now = timezone.now()
    deadline = Q(deadline_binds=True, deadline__lte=now, status__in=Task.QUEUED)
    queue = Q(queue_expires_at__lte=now, status=Task.Status.PENDING)
    keys = Task.objects.filter(deadline | queue).order_by("pk").values_list("pk", flat=True)
    tasks = [task for task in locked(keys[:CHUNK], skip=True) if task.status in Task.QUEUED]
    move(
        tasks,
        Task.Status.EXPIRED,
        closed_at=now,
        due_at=None,
        queue_expires_at=None,
        dead_lettered_at=now,
        dead_letter_reason=EXPIRED,
    )
    close_waiting_attempts(tasks, now)
    facts = {"reason": EXPIRED}
    emit_many(events.TASK_EXPIRED, [(task, facts) for task in tasks], actor=SYSTEM)
    return len(tasks)


def leases_reap() -> int:
    """Ends leases that ran out and those whose worker did not stop when asked to: how many."""
    done = 0
    while ended := _reap_chunk(Q(ended_at=None, expires_at__lte=timezone.now())):
        done += ended
    return done + _reap_chunk(Q(ended_at=None, task__cancel_requested_at__isnull=False))


@transaction.atomic
def _reap_chunk(which: Q) -> int:
    rows = Lease.objects.filter(which).order_by("task__cancel_requested_at", "expires_at")
    keys = rows.values_list("task_id", flat=True)
    tasks = locked(keys[:CHUNK], skip=True)
    leases = live_leases(tasks)
    return sum(_reap(task, leases[task.pk]) for task in tasks if task.pk in leases)


def _reap(task: Task, lease: Lease) -> bool:
    """End the live lease of a locked task if its time is over."""
    now = timezone.now()
    if lease.expires_at <= now:
        if lease.expires_at >= lease.execution_ends_at:
            _time_out(task, lease)
        else:
            lose_locked(task, lease=lease, actor=SYSTEM)
        return True
    grace = timedelta(seconds=policy_of(task).cancel_grace_s)
    if task.cancel_requested_at is not None and task.cancel_requested_at + grace <= now:
        cancel_held(task, actor=SYSTEM, now=now)
        cancelled = Attempt.Outcome.CANCELLED
        end_leases([lease], Lease.Outcome.REVOKED, now=now, attempt=cancelled)
        return True
    return False


def _time_out(task: Task, lease: Lease) -> None:
    """The attempt took longer than it may: the work failed, the machine did not."""
    limit_s = policy_of(task).execution_timeout_s
    error = {"type": "execution_timeout", "message": f"The attempt took longer than {limit_s} s."}
    fail_locked(task, lease=lease, error=error, lease_outcome=Lease.Outcome.LOST, actor=SYSTEM)


@transaction.atomic
def leases_end(agent: Agent, *, reason: str, actor: str) -> int:
    """Take back everything that an agent holds, nothing spent; how many tasks it was."""
    held = Lease.objects.filter(agent=agent, ended_at=None).values_list("task_id", flat=True)
    tasks = locked(held)
    leases = live_leases(tasks)
    now = timezone.now()
    for task in tasks:
        if task.pk in leases:
            release_locked(
                task,
                lease=leases[task.pk],
                delay_s=0,
                reason=reason,
                now=now,
                actor=actor,
                counts=False,
            )
    end_leases(
        list(leases.values()), Lease.Outcome.REVOKED, now=now, attempt=Attempt.Outcome.RELEASED
    )
    return len(leases)


def classes_measure() -> int:
    """Note how long nine of ten attempts of each class take, for ranks by deadline."""
    since = timezone.now() - MEASURED_OVER
    rows = Attempt.objects.filter(outcome=Attempt.Outcome.COMPLETED, ended_at__gte=since)
    measured = 0
    for key in rows.values_list("task__task_class", flat=True).distinct().order_by():
        times = rows.filter(task__task_class=key).order_by("-ended_at")
        latest: Any = times.values_list("started_at", "ended_at")[:MEASURED_ATTEMPTS]
        spans = [(ended - started).total_seconds() * 1000 for started, ended in latest]
        p90 = spans[0] if len(spans) == 1 else quantiles(spans, n=10, method="inclusive")[8]
        measured += TaskClass.objects.filter(pk=key).update(p90_ms=round(p90))
    return measured
