"""Results that came under an outdated lease: stored, then accepted or discarded by a person."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from messaging.events import emit
from platform_site.common.access import requires
from tasks import events
from tasks.models import Lease, OrphanResult, Task
from tasks.refusals import IllegalTransition
from tasks.services.moves import locked_one, move

ACCEPTING = (Task.Status.FAILED, Task.Status.EXPIRED)


def orphan_store(task: Task, *, lease: Lease | None, result: Any, actor: str) -> None:
    """Keep the late result of a locked task, once for each lease; nothing of the task changes."""
    if lease is None or OrphanResult.objects.filter(task=task, lease_epoch=lease.epoch).exists():
        return
    differs = task.status == Task.Status.COMPLETED and task.result != result
    OrphanResult.objects.create(
        task=task,
        number=OrphanResult.objects.filter(task=task).count() + 1,
        lease_epoch=lease.epoch,
        agent=lease.agent,
        result=result,
        differs=differs,
    )
    facts = {"agent_id": lease.agent.agent_id, "lease_epoch": lease.epoch, "differs": differs}
    emit(events.TASK_ORPHAN_RESULT, task, actor=actor, **facts)


@requires("task:redrive")
@transaction.atomic
def orphan_accept(orphan: OrphanResult, *, reason: str, actor: str) -> Task:
    """The late result counts: its task, failed or expired, is completed by it.

    Raises IllegalTransition, TransitionNotAllowed, StaleState.
    """
    task = locked_one(orphan.task)
    if task.status not in ACCEPTING:
        raise IllegalTransition.of(task, Task.Status.COMPLETED)
    orphan.become(OrphanResult.Status.ACCEPTED, decided_by=actor, reason=reason)
    move(
        [task],
        Task.Status.COMPLETED,
        result=orphan.result,
        error=None,
        closed_at=timezone.now(),
        dead_lettered_at=None,
        dead_letter_reason="",
    )
    facts = {"agent_id": orphan.agent.agent_id, "attempt": task.attempts, "late": True}
    emit(events.TASK_COMPLETED, task, actor=actor, task_type=task.task_type, **facts)
    return task


@requires("task:redrive")
@transaction.atomic
def orphan_discard(orphan: OrphanResult, *, reason: str, actor: str) -> Task:
    """The late result counts for nothing. Raises TransitionNotAllowed, StaleState."""
    task = locked_one(orphan.task)
    orphan.become(OrphanResult.Status.DISCARDED, decided_by=actor, reason=reason)
    emit(events.TASK_ORPHAN_DISCARDED, task, actor=actor, number=orphan.number, reason=reason)
    return task
