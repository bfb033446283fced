"""Why a task is where it is."""

from typing import Any

from django.db.models import Q

from platform_site.common.json import instant
from tasks.classes import Worker, blocker
from tasks.feasibility import why_infeasible
from tasks.models import Lease, Task, TaskClass, TaskDependency
from tasks.obstacles import PREDICATES, Obstacles

Status = Task.Status


def explain(task: Task) -> dict[str, Any]:
    """`{task_id, status, sentence, feasible, position, tasks_ahead, estimate_s, agents}`."""
    found = {"task_id": task.pk, "status": str(task.status), "feasible": None, "position": None}
    if task.status != Status.PENDING:
        nothing: dict[str, Any] = {"tasks_ahead": None, "estimate_s": None, "agents": []}
        return {**found, "sentence": _not_queued(task), **nothing}
    obstacles = Obstacles(task)
    rows = obstacles.rows()
    able = [agent for agent in obstacles.agents if obstacles.first(agent) is None]
    ahead = _tasks_ahead(task, able)
    if ahead:
        turn = f"eligible: waits for its turn behind {ahead} tasks"
        rows = [{**row, "sentence": turn} if row["eligible"] else row for row in rows]
    infeasible = why_infeasible(task.task_class)
    return {
        **found,
        "feasible": not infeasible,
        "position": ahead + 1,
        "tasks_ahead": ahead,
        "estimate_s": _estimate_s(task, ahead, sum(agent.free_slots for agent in able)),
        "sentence": _queued(rows, infeasible, ahead),
        "agents": rows,
    }


def _queued(rows: list[dict[str, Any]], infeasible: str, ahead: int) -> str:
    """One sentence about a pending task: who may take it, or who is closest and what is missing."""
    eligible = [row["agent_id"] for row in rows if row["eligible"]]
    if eligible and ahead:
        return f"Waits for its turn: {ahead} tasks are before it."
    if eligible:
        return f"Waits for {_any_of(eligible)} to claim it."
    if infeasible or not rows:
        return infeasible or "No agent is registered."
    closest = max(rows, key=lambda row: PREDICATES.index(row["predicate"]))
    return f"No agent can take it now; closest is {closest['agent_id']}: {closest['sentence']}."


def _any_of(names: list[str]) -> str:
    if len(names) == 1:
        return f"agent {names[0]}"
    return f"one of {len(names)} agents ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"


def _tasks_ahead(task: Task, able: list[Any]) -> int:
    """Pending tasks before this one that the same agents could take."""
    classes = TaskClass.objects.filter(tasks__status=Status.PENDING).distinct()
    workers = [Worker.of(agent, health=agent.health_score) for agent in able]
    shared = [row.pk for row in classes if any(blocker(w, row) is None for w in workers)]
    before = Q(rank__lt=task.rank) | Q(rank=task.rank, pk__lt=task.pk)
    in_front = before & Q(preempt=True) if task.preempt else before | Q(preempt=True)
    rows = Task.objects.filter(in_front, status=Status.PENDING)
    return rows.filter(task_class__in=shared or [task.task_class_id]).count()


def _estimate_s(task: Task, ahead: int, slots: int) -> float | None:
    """Seconds until an agent takes it, as its class goes; None where nothing is known."""
    p90_ms = task.task_class.p90_ms
    if p90_ms is None or not slots:
        return None
    return round(ahead // slots * p90_ms / 1000, 1)


def _not_queued(task: Task) -> str:
    said = {
        Status.SCHEDULED: _scheduled,
        Status.RETRYING: _retrying,
        Status.WAITING: _waiting,
        Status.RUNNING: _running,
        Status.ASSIGNED: _running,
    }.get(Status(task.status), _closed)
    return said(task)


def _scheduled(task: Task) -> str:
    waits_for = TaskDependency.objects.filter(task=task).exclude(on__status=Status.COMPLETED)
    names = [f"{row.on_id} ({row.on.status})" for row in waits_for.select_related("on")]
    if names:
        return f"Waits for {', '.join(names)}."
    return f"Scheduled for {instant(task.due_at)}."


def _retrying(task: Task) -> str:
    because = f" after: {task.error['message']}" if task.error and task.error.get("message") else ""
    return f"Comes again at {instant(task.due_at)}{because}"


def _waiting(task: Task) -> str:
    question = task.question or {}
    return f"Waits for {question.get('reason', 'an answer')}: {question.get('prompt', '')}"


def _running(task: Task) -> str:
    lease = Lease.objects.select_related("agent").filter(task=task, ended_at=None).first()
    if lease is None:
        return "It has just changed; ask again."
    said = f"Agent {lease.agent.agent_id} works on it; its lease runs until "
    said += f"{instant(lease.expires_at)}."
    if task.cancel_requested_at is not None:
        said += " It was asked to stop."
    return said


def _closed(task: Task) -> str:
    because = ""
    if task.status in (Status.FAILED, Status.REJECTED) and task.error:
        because = f" ({task.dead_letter_reason or task.error.get('type')}): "
        because += str(task.error.get("message", ""))
    elif task.status == Status.CANCELLED and task.cancel_reason:
        because = f": {task.cancel_reason}"
    return f"It is {task.status}{because} since {instant(task.closed_at)}."
