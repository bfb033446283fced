"""What every change of state has in common: the lock, the move, the end of a lease.

Tasks are locked before anything is decided about them, so that a decision holds when it is written.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case, F, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from platform_site.common.errors import StaleState
from platform_site.common.rows import update_rows
from tasks.models import Attempt, Lease, LimitHold, Task
from tasks.refusals import IllegalTransition


def locked(task_ids: Iterable[str], *, skip: bool = False, only: Sequence[str] = ()) -> list[Task]:
    """The tasks with their classes, locked in the order of ids; `skip` leaves out held ones.

    `only` names the columns that are read, for calls that need no class and no payload.
    """
    rows = Task.objects.filter(pk__in=list(task_ids)).order_by("pk")
    rows = rows.only(*only) if only else rows.select_related("task_class")
    return list(rows.select_for_update(skip_locked=skip, of=("self",), no_key=True))


def locked_one(task: Task) -> Task:
    """The same task, locked and read anew."""
    return locked([task.pk])[0]


def require_move(task: Task, status: str) -> None:
    """Raises IllegalTransition for a move outside the table."""
    if status not in Task.TRANSITIONS[Task.Status(task.status)]:
        raise IllegalTransition.of(task, status)


def move(tasks: Sequence[Task], status: str, **changes: Any) -> None:
    """Move locked tasks in one statement; each change is a value, or a dict of values by task id.

    Expressions are left to the caller to follow in memory. Raises IllegalTransition before anything
    is written, StaleState if a row is not as it was read.
    """
    if not tasks:
        return
    for task in tasks:
        require_move(task, status)
    _let_go_of_unique_keys(tasks, status)
    values = {"status": status, "updated_at": timezone.now(), **_columns(tasks, changes)}
    rows = Task.objects.filter(
        pk__in=[task.pk for task in tasks], status__in={task.status for task in tasks}
    )
    if rows.update(version=F("version") + 1, **values) != len(tasks):
        raise StaleState("The tasks were changed by somebody else meanwhile; read them again.")
    for task in tasks:
        task.status, task.version = status, task.version + 1
        for name, value in changes.items():
            if not hasattr(value, "resolve_expression"):  # what the database computes, it knows
                setattr(task, name, value[task.pk] if isinstance(value, PerTask) else value)


class PerTask(dict[str, Any]):
    """Values of one column by task id, for `move`."""


def _columns(tasks: Sequence[Task], changes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _cases(tasks, name, value) if isinstance(value, PerTask) else value
        for name, value in changes.items()
    }


def _cases(tasks: Sequence[Task], name: str, values: PerTask) -> Any:
    distinct = [values[task.pk] for task in tasks]
    if all(repr(value) == repr(distinct[0]) for value in distinct):  # 1 is not True here
        return distinct[0]
    field: Any = Task._meta.get_field(name)
    whens = [When(pk=pk, then=Value(value, output_field=field)) for pk, value in values.items()]
    case = Case(*whens, output_field=field)
    must_cast = connection.features.requires_casted_case_in_updates
    return Cast(case, output_field=field) if must_cast else case


def _let_go_of_unique_keys(tasks: Sequence[Task], status: str) -> None:
    """The unique key is free again once the task is started or closed, as its scope says."""
    held = [task for task in tasks if task.unique_held]
    freed = [task for task in held if _frees(task, status)]
    if freed:
        Task.objects.filter(pk__in=[task.pk for task in freed]).update(unique_held=False)
        for task in freed:
            task.unique_held = False


def _frees(task: Task, status: str) -> bool:
    if task.unique_scope == Task.UniqueScope.TTL:
        return False
    if task.unique_scope == Task.UniqueScope.UNTIL_STARTED and status in Task.LEASED:
        return True
    return status not in Task.OPEN


def end_leases(
    leases: Sequence[Lease],
    outcome: str,
    *,
    now: datetime,
    attempt: str,
    answer: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    late: bool = False,
) -> None:
    """End leases and close (waiting: put aside) their attempts; a repeat gets `answer` again."""
    if not leases:
        return
    keys = [lease.pk for lease in leases]
    rows = Lease.objects.filter(pk__in=keys).order_by()
    update_rows(rows, outcome=outcome, answer=answer, ended_at=now)
    ended_at = None if attempt == Attempt.Outcome.WAITING else now
    attempts = Attempt.objects.filter(pk__in=[lease.attempt_id for lease in leases]).order_by()
    update_rows(attempts, outcome=attempt, error=error, late=late, ended_at=ended_at)
    if any(lease.has_holds for lease in leases):
        LimitHold.objects.filter(lease__in=keys).delete()


def close_waiting_attempts(tasks: Sequence[Task], now: datetime) -> None:
    """The attempts of tasks that end while they wait for an answer end with them."""
    put_aside = Attempt.objects.filter(
        task__in=[task.pk for task in tasks], outcome=Attempt.Outcome.WAITING
    )
    put_aside.update(outcome=Attempt.Outcome.CANCELLED, ended_at=now)


def live_leases(tasks: Iterable[Task]) -> dict[str, Lease]:
    """The live leases of locked tasks by task id, with their agents."""
    rows = Lease.objects.select_related("agent").filter(
        task__in=[task.pk for task in tasks], ended_at=None
    )
    return {lease.task_id: lease for lease in rows}
