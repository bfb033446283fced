"""The shapes in which the two APIs show a task."""

from typing import Any

from rest_framework import serializers

from platform_site.common.json import instant
from tasks.models import Attempt, OrphanResult, Task
from tasks.priorities import word_of
from tasks.services import Claimed


def platform_task(task: Task) -> dict[str, Any]:
    """Task of the Platform API: the reference's keys first."""
    waits_for = getattr(task, "open_dependencies", ())
    return {
        "id": task.pk,
        "title": task.title,
        "description": task.description,
        "priority": task.priority,
        "required_capabilities": task.required_capabilities,
        "resources": task.resources,
        "metadata": task.metadata,
        "status": str(task.status),
        "assigned_agent": task.assigned_agent or None,
        "created_at": instant(task.created_at),
        "deadline": instant(task.deadline),
        "completed_at": instant(task.closed_at) if task.status == "completed" else None,
        "task_type": task.task_type,
        "payload": task.payload,
        "started_at": instant(task.started_at),
        "attempt": task.attempts,
        "progress": task.progress,
        "note": task.note,
        "result": task.result,
        "error": task.error,
        "run_at": instant(task.run_at),
        "due_at": instant(task.due_at),
        "closed_at": instant(task.closed_at),
        "blocked_by": [dependency.on_id for dependency in waits_for],
        "question": task.question if task.status == "waiting" else None,
        "cancel_requested": task.cancel_requested_at is not None,
        "dead_letter": {
            "reason": task.dead_letter_reason,
            "since": instant(task.dead_lettered_at),
        }
        if task.dead_lettered_at
        else None,
        "agent_id": task.agent_id or None,
        "failures": task.failures,
        "lease_losses": task.lease_losses,
        "releases": task.releases,
        "submitted_by": task.submitted_by,
        "trace_id": task.trace_id,
        "causation_id": task.causation_id,
        "version": task.version,
        "warnings": getattr(task, "warnings", []),
    }


def coordinator_task(task: Task) -> dict[str, Any]:
    """Task of the Coordinator API: the words of that API, and everything else of the other."""
    return {
        **platform_task(task),
        "task_id": task.pk,
        "task_data": task.payload,
        "requirements": task.requirements,
        "priority": task.priority_word or word_of(task.priority),
        "updated_at": instant(task.updated_at),
    }


class TaskSerializer(serializers.BaseSerializer[Task]):
    """A task as the Platform API shows it; by hand, for a list holds a thousand of them."""

    def to_representation(self, instance: Task) -> dict[str, Any]:
        return platform_task(instance)


def claimed_task(item: Claimed) -> dict[str, Any]:
    """What an agent gets with a lease."""
    task = item.task
    return {
        "id": task.pk,
        "attempt": item.attempt,
        "lease_id": item.lease_id,
        "lease_epoch": item.lease_epoch,
        "lease_expires_at": instant(item.lease_expires_at),
        "title": task.title,
        "description": task.description,
        "task_type": task.task_type,
        "priority": task.priority,
        "payload": task.payload,
        "metadata": task.metadata,
        "requirements": task.requirements,
        "resources": task.resources,
        "deadline": instant(task.deadline),
        "checkpoint": task.checkpoint,
        "answer": task.answer,
        "cancel_requested": task.cancel_requested_at is not None,
    }


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """One start of a task."""
    return {
        "attempt": attempt.number,
        "agent_id": attempt.agent.agent_id,
        "lease_epoch": attempt.lease_epoch,
        "outcome": str(attempt.outcome),
        "late": attempt.late,
        "error": attempt.error,
        "started_at": instant(attempt.started_at),
        "ended_at": instant(attempt.ended_at),
    }


def orphan_row(orphan: OrphanResult) -> dict[str, Any]:
    """One late result."""
    return {
        "number": orphan.number,
        "agent_id": orphan.agent.agent_id,
        "lease_epoch": orphan.lease_epoch,
        "result": orphan.result,
        "differs": orphan.differs,
        "status": str(orphan.status),
        "decided_by": orphan.decided_by,
        "reason": orphan.reason,
        "received_at": instant(orphan.created_at),
    }
