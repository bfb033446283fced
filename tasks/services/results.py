"""Results under a lease, repeated safely, late ones judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from messaging.events import emit_many
from platform_site.common.access import requires
from platform_site.common.errors import Missing, Refusal
from platform_site.common.rows import together
from registry.models import Agent
from tasks import events
from tasks.models import Attempt, Breaker, Lease, Task
from tasks.refusals import LeaseLost
from tasks.services.failures import fail_locked
from tasks.services.moves import PerTask, end_leases, locked, move
from tasks.services.orphans import orphan_store

TAKEN_AWAY = (Lease.Outcome.LOST, Lease.Outcome.REVOKED)
# What of a task decides whether a report counts, and what is said of it.
JUDGED_BY = (
    "status",
    "version",
    "lease_epoch",
    "attempts",
    "task_type",
    "task_class_id",
    "unique_held",
    "unique_scope",
)
READ_OF_LEASE = (
    "task",
    "epoch",
    "attempt",
    "expires_at",
    "ended_at",
    "outcome",
    "answer",
    "has_holds",
    "agent",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says it has done, and the fence that it shows."""

    task_id: str
    lease_id: str
    lease_epoch: int
    result: Any = None


@dataclass(slots=True)
class _Case:
    """A report beside the rows that it is judged by, and what became of it."""

    report: Report
    task: Task
    lease: Any  # a Lease with what `_leases` says of it, or None
    late: bool = False
    outcome: dict[str, Any] | Refusal | None = None


def task_complete(
    task: Task, *, lease_id: str, lease_epoch: int, result: Any = None, actor: str
) -> dict[str, Any]:
    """The work is done: `{task_id, status, late}`; the same call again gets the same answer.

    Raises LeaseLost, after the result of an outdated lease was stored for an operator.
    """
    report = Report(task.pk, lease_id, lease_epoch, result)
    outcome = tasks_complete([report], actor=actor)[0]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


@requires("task:claim")
@transaction.atomic
def tasks_complete(
    reports: Sequence[Report], *, agent: Agent | None = None, actor: str
) -> list[dict[str, Any] | Refusal]:
    """Complete many, each on its own: the answer or the refusal of each, in order.

    With `agent`, leases of others count as lost. Nothing is raised, so that results of outdated
    leases are kept whatever becomes of the other rows.
    """
    now = timezone.now()
    cases = _cases(reports, agent)
    accepted: dict[str, _Case] = {}
    for case in cases.values():
        case.outcome = _judged(case, now)
        if case.outcome is None:
            accepted[case.task.pk] = case
    _accept(list(accepted.values()), now, actor)
    for case in cases.values():
        if isinstance(case.outcome, LeaseLost) and _is_orphan(case):
            orphan_store(case.task, lease=case.lease, result=case.report.result, actor=actor)
    return [_outcome(cases, report) for report in reports]


@requires("task:claim")
@transaction.atomic
def task_fail(
    task: Task,
    *,
    lease_id: str,
    lease_epoch: int,
    error: dict[str, Any],
    retryable: bool = True,
    retry_after_s: float | None = None,
    actor: str,
) -> dict[str, Any]:
    """The work said no: `{task_id, status, next_attempt_at}`; again, or a dead letter.

    The same call again gets the same answer. Raises LeaseLost.
    """
    [held] = locked([task.pk])
    lease = Lease.objects.select_related("agent").filter(pk=lease_id, task=held).first()
    if lease is None or lease.epoch != lease_epoch:
        raise LeaseLost.of(held)
    if lease.ended_at is None:
        return fail_locked(
            held,
            lease=lease,
            error=error,
            retryable=retryable,
            retry_after_s=retry_after_s,
            actor=actor,
        )
    if lease.outcome == Lease.Outcome.FAILED and lease.answer is not None:
        return {"task_id": held.pk, **lease.answer}
    raise LeaseLost.of(held)


def _cases(reports: Sequence[Report], agent: Agent | None) -> dict[tuple[str, str, int], _Case]:
    """One case for each different report on a task that exists, over locked rows."""
    keys = [report.task_id for report in reports]
    tasks = {task.pk: task for task in locked(keys, only=JUDGED_BY)}
    leases = _leases([report.lease_id for report in reports])
    return {
        _key(report): _Case(
            report, tasks[report.task_id], _lease_of(report, leases.get(report.lease_id), agent)
        )
        for report in reports
        if report.task_id in tasks
    }


def _leases(keys: list[str]) -> dict[str, Any]:
    """The leases, the names of their agents, and whether breakers count failures of these."""
    counting = Exists(Breaker.objects.filter(agent=OuterRef("agent")))
    rows = Lease.objects.filter(pk__in=keys).order_by().only(*READ_OF_LEASE)
    rows = rows.annotate(has_breaker=counting, agent_name=F("agent__agent_id"))
    return {lease.pk: lease for lease in rows}


def _key(report: Report) -> tuple[str, str, int]:
    return report.task_id, report.lease_id, report.lease_epoch


def _lease_of(report: Report, lease: Any, agent: Agent | None) -> Any:
    """The lease that the report shows, if all of its fence is right."""
    if lease is None or (lease.task_id, lease.epoch) != (report.task_id, report.lease_epoch):
        return None
    return lease if agent is None or lease.agent_id == agent.pk else None


def _judged(case: _Case, now: datetime) -> dict[str, Any] | Refusal | None:
    """The answer to a repetition, a refusal, or None: the report is accepted."""
    lease, task = case.lease, case.task
    if lease is None:
        return LeaseLost.of(task)
    if lease.ended_at is None:
        case.late = lease.expires_at < now
        return None
    if lease.outcome == Lease.Outcome.COMPLETED:
        return {"task_id": task.pk, **(lease.answer or {})}
    is_waiting_again = task.status in (Task.Status.PENDING, Task.Status.RETRYING)
    if lease.outcome in TAKEN_AWAY and lease.epoch == task.lease_epoch and is_waiting_again:
        # The work is done; doing it again is worse.
        case.late = True
        return None
    return LeaseLost.of(task)


def _is_orphan(case: _Case) -> bool:
    """Honest work that came too late: a newer lease exists, or the task is closed."""
    if case.lease is None or case.lease.outcome not in TAKEN_AWAY:
        return False
    return case.task.lease_epoch > case.lease.epoch or not case.task.is_open


def _accept(cases: list[_Case], now: datetime, actor: str) -> None:
    tasks = [case.task for case in cases]
    move(
        tasks,
        Task.Status.COMPLETED,
        result=PerTask((case.task.pk, case.report.result) for case in cases),
        error=None,
        closed_at=now,
        due_at=None,
    )
    facts = [(case.task, _facts(case)) for case in cases]
    with together():
        for late in (False, True):
            _close_leases([case for case in cases if case.late is late], late, now)
        emit_many(events.TASK_COMPLETED, facts, actor=actor)


def _close_leases(cases: list[_Case], late: bool, now: datetime) -> None:
    leases = [case.lease for case in cases if case.lease is not None]
    if not leases:
        return
    answer = {"status": str(Task.Status.COMPLETED), "late": late}
    outcome = Lease.Outcome.COMPLETED
    end_leases(
        leases, outcome, now=now, attempt=Attempt.Outcome.COMPLETED, answer=answer, late=late
    )
    for case in cases:
        case.outcome = {"task_id": case.task.pk, **answer}
    if any(lease.has_breaker for lease in leases):
        # A success closes the breaker of this agent for this class.
        Breaker.objects.filter(
            agent__in={lease.agent_id for lease in leases},
            task_class__in={case.task.task_class_id for case in cases},
        ).delete()


def _facts(case: _Case) -> dict[str, Any]:
    return {
        "agent_id": case.lease.agent_name if case.lease else "",
        "attempt": case.task.attempts,
        "task_type": case.task.task_type,
        "late": case.late,
    }


def _outcome(cases: dict[tuple[str, str, int], _Case], report: Report) -> dict[str, Any] | Refusal:
    case = cases.get(_key(report))
    if case is None or case.outcome is None:
        return Missing("Task not found")
    return case.outcome
