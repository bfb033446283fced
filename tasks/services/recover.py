"""An agent starts and says what it still holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from platform_site.common.access import requires
from platform_site.common.errors import Refusal
from registry.identity import require_incarnation
from registry.models import Agent
from registry.services import presence_touch
from tasks.models import Lease
from tasks.services.failures import fail_locked, lose_locked
from tasks.services.moves import live_leases, locked
from tasks.services.results import Report, tasks_complete

KEEP, ACCEPTED, LATE, ORPHANED, LOST = "keep", "accepted", "late", "orphaned", "lost"


@dataclass(frozen=True, slots=True)
class Holding:
    """A task that the agent remembers, and what became of it if that is known.

    `outcome` is `{"status": "completed", "result": …}` or `{"status": "failed", "error": {…}}`.
    """

    task_id: str
    lease_epoch: int
    outcome: Mapping[str, Any] | None = None


@requires("task:claim")
@transaction.atomic
def tasks_recover(
    agent: Agent, *, holding: Sequence[Holding], incarnation: int | None = None, actor: str
) -> list[dict[str, Any]]:
    """Settle what the agent holds: `{task_id, outcome}` for each of `holding`, in order.

    Leases that it does not name end at once, one lease loss each, so that a restart never blocks a
    slot until expiry. Raises Superseded.
    """
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    require_incarnation(agent, incarnation)
    presence_touch(agent)
    live = Lease.objects.filter(agent=agent, ended_at=None).values_list("task_id", flat=True)
    tasks = {task.pk: task for task in locked({*live, *(row.task_id for row in holding)})}
    leases = _leases(agent, holding)
    answers = [
        {"task_id": row.task_id, "outcome": _settle(row, leases.get(_key(row)), actor)}
        for row in holding
    ]
    named = {lease.pk for lease in leases.values()}
    for task_id, lease in live_leases(tasks.values()).items():
        if lease.agent_id == agent.pk and lease.pk not in named:
            lose_locked(tasks[task_id], lease=lease, actor=actor)
    return answers


def _leases(agent: Agent, holding: Sequence[Holding]) -> dict[tuple[str, int], Lease]:
    rows = Lease.objects.select_related("agent", "task__task_class").filter(
        agent=agent, task__in={row.task_id for row in holding}
    )
    return {(lease.task_id, lease.epoch): lease for lease in rows}


def _key(row: Holding) -> tuple[str, int]:
    return row.task_id, row.lease_epoch


def _settle(row: Holding, lease: Lease | None, actor: str) -> str:
    if lease is None:
        return LOST
    if row.outcome is None:
        return _renew(lease)
    if row.outcome.get("status") == "failed":
        return _failed(lease, dict(row.outcome.get("error") or {}), actor)
    report = Report(lease.task_id, lease.pk, lease.epoch, row.outcome.get("result"))
    answer = tasks_complete([report], actor=actor)[0]
    if isinstance(answer, Refusal):
        return ORPHANED
    return LATE if answer["late"] else ACCEPTED


def _renew(lease: Lease) -> str:
    if lease.ended_at is not None:
        return LOST
    expires_at = timezone.now() + timedelta(seconds=lease.lease_s)
    lease.expires_at = min(expires_at, lease.execution_ends_at)
    Lease.objects.filter(pk=lease.pk, ended_at=None).update(expires_at=lease.expires_at)
    return KEEP


def _failed(lease: Lease, error: dict[str, Any], actor: str) -> str:
    if lease.ended_at is not None:
        return ACCEPTED if lease.outcome == Lease.Outcome.FAILED else LOST
    fail_locked(
        lease.task, lease=lease, error=error or {"type": "error", "message": ""}, actor=actor
    )
    return ACCEPTED
