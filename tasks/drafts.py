"""From what a submitter says to a task that is not saved yet."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

import orjson
from django.utils import timezone

from platform_site.common.context import causation_depth, causation_id, trace_id
from tasks.classes import class_of
from tasks.models import Task
from tasks.policies import MAX_CAUSATION_DEPTH, policy_of, rank_of


class Wishes(TypedDict, total=False):
    """What a submitter may say about a task besides its title."""

    description: str
    task_type: str
    payload: Any
    metadata: Mapping[str, Any]
    resources: Mapping[str, Any]  # quantities as text or numbers
    requirements: Mapping[str, Any]  # kept and passed on as the client wrote them
    required_capabilities: Sequence[str]
    services: Sequence[str]
    agent_type: str
    min_health: float
    agent_id: str  # the target
    task_id: str  # an id of the client's: the same id is the same task
    priority: int
    priority_word: str
    preempt: bool
    run_at: datetime | None
    deadline: datetime | None
    depends_on: Sequence[str]
    unique_key: str
    unique_scope: str  # until_started, until_closed (default), ttl
    unique_ttl_s: int
    on_conflict: str  # return_existing (default), replace_payload, reject
    concurrency_key: str
    concurrency_limit: int
    writes: Sequence[str]
    policy: Mapping[str, Any]  # names of tasks.policies.Policy, retry{} nested


_COPIED = (
    "description",
    "task_type",
    "payload",
    "metadata",
    "requirements",
    "resources",
    "agent_id",
    "priority",
    "priority_word",
    "preempt",
    "run_at",
    "deadline",
    "concurrency_key",
    "concurrency_limit",
)


def draft(title: str, wishes: Wishes, actor: str) -> Task:
    """The row as it would be inserted now. Raises Invalid for what is no quantity."""
    now = timezone.now()
    copied = {name: wishes[name] for name in _COPIED if name in wishes}  # type: ignore[literal-required]  # names of Wishes
    task = Task(
        title=title,
        required_capabilities=list(wishes.get("required_capabilities", ())),
        writes=sorted(set(wishes.get("writes", ()))),
        policy=dict(wishes.get("policy", {})),
        task_class=class_of(
            capabilities=wishes.get("required_capabilities", ()),
            services=wishes.get("services", ()),
            agent_type=wishes.get("agent_type", ""),
            agent_id=wishes.get("agent_id", ""),
            min_health=wishes.get("min_health", 0),
            resources=wishes.get("resources"),
        ),
        submitted_by=actor,
        trace_id=trace_id.get(),
        causation_id=causation_id.get(),
        causation_depth=causation_depth.get(),
        **copied,
    )
    task.deadline_binds = task.deadline is not None and task.deadline > now
    task.rank = rank_of(task, task.task_class, enqueued_at=now)
    if wishes.get("task_id"):
        task.pk, task.body_hash = wishes["task_id"], _hash(title, wishes)
    _draft_unique(task, wishes, now)
    _draft_status(task, wishes, now)
    return task


def _draft_unique(task: Task, wishes: Wishes, now: datetime) -> None:
    if not wishes.get("unique_key"):
        return
    task.unique_key, task.unique_held = wishes["unique_key"], True
    task.unique_scope = wishes.get("unique_scope", Task.UniqueScope.UNTIL_CLOSED)
    if task.unique_scope == Task.UniqueScope.TTL:
        task.unique_until = now + timedelta(seconds=wishes.get("unique_ttl_s", 3600))


def _draft_status(task: Task, wishes: Wishes, now: datetime) -> None:
    """Where the task begins: rejected, scheduled or pending."""
    if task.causation_depth > MAX_CAUSATION_DEPTH:
        chain = f"The chain of causes is longer than {MAX_CAUSATION_DEPTH}: agents call each other."
        reject(task, "causation_loop", chain)
    elif wishes.get("depends_on") or (task.run_at is not None and task.run_at > now):
        task.status, task.due_at = Task.Status.SCHEDULED, task.run_at or now
    else:
        task.status = Task.Status.PENDING
        for name, value in queue_times(task, now).items():
            setattr(task, name, value)


def queue_times(task: Task, now: datetime) -> dict[str, Any]:
    """The times of a task that enters the queue now: pending since, and until when at most."""
    ttl_s = policy_of(task).queue_ttl_s if task.first_leased_at is None else None
    expires = now + timedelta(seconds=ttl_s) if ttl_s else None
    return {"ready_at": now, "due_at": None, "queue_expires_at": expires}


def reject(task: Task, kind: str, message: str) -> None:
    """Let a draft begin, and end, as rejected."""
    task.status, task.closed_at = Task.Status.REJECTED, timezone.now()
    task.unique_held, task.queue_expires_at = False, None
    task.error = {"type": kind, "message": message}


def _hash(title: str, wishes: Wishes) -> str:
    body = orjson.dumps({"title": title, **wishes}, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest()
