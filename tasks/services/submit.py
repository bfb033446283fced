"""Submission: from a wish to a row in the queue, once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.bell import ring_after_commit
from messaging.events import emit, emit_many
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Refusal
from platform_site.common.rows import insert_rows, together
from tasks import events
from tasks.drafts import Wishes, draft, reject
from tasks.feasibility import why_infeasible
from tasks.models import Task, TaskClass, TaskDependency
from tasks.policies import policy_of
from tasks.refusals import IdTaken, NotUnique


@requires("task:submit")
@transaction.atomic
def task_submit(*, title: str, actor: str, **wishes: Unpack[Wishes]) -> Task:
    """Put a task into the queue, or return the one that is there already (`task_id`, `unique_key`).

    Raises Invalid, IdTaken, NotUnique.
    """
    task = _feasible(draft(title, wishes, actor))
    if not (task.unique_held or task.body_hash):
        with together():
            _save_classes([task.task_class])
            insert_rows([task])
    elif (existing := _insert_once(task, wishes)) is not None:
        return existing
    _save_dependencies(task, wishes)
    emit(_event_of(task), task, actor=actor, **_facts(task))
    if task.status == Task.Status.PENDING:
        ring_after_commit("tasks")
    return task


@requires("task:submit")
@transaction.atomic
def tasks_submit(orders: Sequence[Mapping[str, Any]], *, actor: str) -> list[Task | Refusal]:
    """Submit many, each on its own: the outcome of each row, in order.

    The number of statements does not grow with plain rows; those with an id, a unique key or
    dependencies are inserted one by one.
    """
    outcomes = [_submit_row(order, actor) for order in orders]
    plain = [row for row in outcomes if isinstance(row, Task) and row._state.adding]
    with together():
        _save_classes([task.task_class for task in plain])
        insert_rows(plain)
        for name in (events.TASK_SUBMITTED, events.TASK_REJECTED):
            rows = [(task, _facts(task)) for task in plain if _event_of(task) == name]
            emit_many(name, rows, actor=actor)
    if any(task.status == Task.Status.PENDING for task in plain):
        ring_after_commit("tasks")
    return outcomes


@requires("task:submit")
@transaction.atomic
def job_enqueue(
    capability: str, payload: Mapping[str, Any], /, *, title: str, key: str = "", actor: str
) -> Task:
    """A job for the built-in workers, enqueued in the business transaction that wants it done.

    While a job with the same `key` is open, that one is returned.
    """
    return task_submit(
        title=title,
        task_type=capability,
        payload=payload,
        required_capabilities=[capability],
        unique_key=f"{capability}:{key}" if key else "",
        actor=actor,
    )


def _submit_row(order: Mapping[str, Any], actor: str) -> Task | Refusal:
    """The row's refusal, its task as inserted, or a draft that is plain enough for the bulk."""
    wishes: Any = {name: value for name, value in order.items() if name != "title"}
    try:
        if any(wishes.get(name) for name in ("task_id", "unique_key", "depends_on")):
            with transaction.atomic():
                return task_submit(title=order["title"], actor=actor, **wishes)
        return _feasible(draft(order["title"], wishes, actor))
    except Refusal as refusal:
        return refusal


def _feasible(task: Task) -> Task:
    """The draft, rejected if its submitter wants it done at once or not at all."""
    wants_it_now = task.is_open and policy_of(task).on_infeasible == "reject"
    if wants_it_now and (reason := why_infeasible(task.task_class)):
        reject(task, "infeasible", reason)
    return task


def _save_classes(classes: Sequence[TaskClass]) -> None:
    # Always asked, never remembered: a class of a transaction that rolled back does not exist.
    # In the order of keys, so that two batches never wait for each other.
    rows = {row.key: row for row in sorted(classes, key=lambda row: row.key)}
    insert_rows(list(rows.values()), ignore_conflicts=True)


def _insert_once(task: Task, wishes: Wishes) -> Task | None:
    """Insert the task, or return the one whose id or unique key it shares."""
    for _ in range(3):
        try:
            with transaction.atomic(), together():
                _save_classes([task.task_class])
                insert_rows([task])
        except IntegrityError:
            existing = _same_id(task) or _same_unique(task, wishes)
            if existing is not None:
                return existing
        else:
            return None
    raise NotUnique(f"The unique key {task.unique_key} is fought over; try again.")


def _same_id(task: Task) -> Task | None:
    if not task.body_hash:
        return None
    existing = Task.objects.filter(pk=task.pk).first()
    if existing is not None and existing.body_hash != task.body_hash:
        raise IdTaken(
            f"{existing} exists with another body; take another id.", existing_id=existing.pk
        )
    return existing


def _same_unique(task: Task, wishes: Wishes) -> Task | None:
    """The holder of the key after `on_conflict`; None if it let go, so that we may try again."""
    holders = Task.objects.select_for_update(no_key=True)
    holder = holders.filter(unique_key=task.unique_key, unique_held=True).first()
    if holder is None:
        return None
    now = timezone.now()
    if holder.unique_until is not None and holder.unique_until <= now:
        Task.objects.filter(pk=holder.pk).update(unique_held=False, updated_at=now)
        return None
    return _on_conflict(holder, task, wishes.get("on_conflict", "return_existing"), now)


def _on_conflict(holder: Task, task: Task, wish: str, now: datetime) -> Task:
    if wish == "reject":
        raise NotUnique(f"{holder} holds the unique key {task.unique_key}.", existing_id=holder.pk)
    if wish == "replace_payload" and holder.status in Task.QUEUED:
        holder.payload = task.payload
        Task.objects.filter(pk=holder.pk).update(payload=task.payload, updated_at=now)
        emit(events.TASK_CHANGED, holder, actor=task.submitted_by, fields=["payload"])
    return holder


def _save_dependencies(task: Task, wishes: Wishes) -> None:
    wanted = list(dict.fromkeys(wishes.get("depends_on", ())))
    if not wanted:
        return
    known = set(Task.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if missing := [key for key in wanted if key not in known or key == task.pk]:
        raise Invalid(f"There is no task {missing[0]} to depend on.", field="depends_on")
    TaskDependency.objects.bulk_create([TaskDependency(task=task, on_id=key) for key in wanted])


def _event_of(task: Task) -> str:
    is_rejected = task.status == Task.Status.REJECTED
    return events.TASK_REJECTED if is_rejected else events.TASK_SUBMITTED


def _facts(task: Task) -> dict[str, Any]:
    return {
        "title": task.title,
        "status": str(task.status),
        "task_type": task.task_type,
        "priority": task.priority,
        "agent_id": task.agent_id,
    }
