"""The claim: an agent takes what it may, under leases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging.events import emit_many
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, Missing
from platform_site.common.rows import insert_rows, together
from registry.identity import require_incarnation
from registry.models import Agent
from registry.services import presence_touch, touch_is_due
from tasks import events
from tasks.limits import Places
from tasks.models import Attempt, Lease, Task
from tasks.policies import policy_of
from tasks.room import Room, Work
from tasks.services.moves import move

LARGEST = 50
LOOK_AHEAD = 10  # so many times the maximum is looked at, so that a full key does not hide the rest
NO_TASK, NO_HEADROOM = "no_task", "no_headroom"


@dataclass(frozen=True, slots=True)
class Claimed:
    """One task in the hands of an agent, and the fence that every call about it has to show."""

    task: Task
    lease_id: str
    lease_epoch: int
    lease_expires_at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What the agent got; with nothing, the reason in one word (`X-Claim-Reason`)."""

    tasks: list[Claimed] = field(default_factory=list)
    reason: str = ""


@requires("task:claim")
def task_claim(
    agent: Agent,
    *,
    maximum: int = 1,
    capabilities: Sequence[str] | None = None,
    incarnation: int | None = None,
    wait_s: float | None = None,
    actor: str,
) -> Claim:
    """Take up to `maximum` tasks for the agent, best rank first.

    `capabilities` narrows what is taken to tasks that require no others. `wait_s` says how long the
    caller means to poll. Raises Invalid, Superseded, Missing.
    """
    if not 1 <= maximum <= LARGEST:
        raise Invalid(f"max is {maximum}; a claim takes 1 to {LARGEST} tasks.", field="max")
    require_incarnation(agent, incarnation)
    # Most claims of an idle fleet find nothing: they cost one read and no lock.
    work = Work.of(agent, capabilities)
    if not work.classes:
        presence_touch(agent, polling_for_s=wait_s)
        return Claim(reason=withheld(agent, _reported(agent)) or NO_TASK)
    with transaction.atomic():
        locked = _locked(agent, wait_s)
        require_incarnation(locked, incarnation)
        if reason := withheld(locked, _reported(locked)):
            return Claim(reason=reason)
        return _take(locked, work, maximum, actor)


def _locked(agent: Agent, wait_s: float | None) -> Agent:
    """The agent with its presence, locked, and seen alive. Raises Missing if it has gone."""
    rows = Agent.objects.select_related("presence").filter(pk=agent.pk, deregistered_at=None)
    is_due = Case(When(touch_is_due(wait_s, of="presence__"), then=True), default=False)
    rows = rows.annotate(touch_is_due=is_due)
    locked = rows.select_for_update(no_key=True, of=("self",)).order_by().first()
    if locked is None:
        raise Missing("Agent not found")
    if locked.touch_is_due:
        presence_touch(locked, polling_for_s=wait_s)
    return locked


def withheld(agent: Agent, reported: str) -> str:
    """Why the agent gets nothing whatever there is: its overlay, or what it says of itself."""
    is_over = agent.overlay_until is not None and agent.overlay_until <= timezone.now()
    if agent.overlay and not is_over:
        return agent.overlay
    return reported if reported in ("error", "maintenance") else ""


def _reported(agent: Agent) -> str:
    return agent.presence.reported_status


def _take(agent: Agent, work: Work, maximum: int, actor: str) -> Claim:
    now = timezone.now()
    room = Room(agent, work, now)
    if room.slots < 1 or not room.classes:
        return Claim(reason=NO_HEADROOM)
    places = Places(room.classes, has_limits=work.has_limits)
    chosen = _choose(room, places, min(maximum, room.slots), actor)
    if not chosen:
        return Claim(reason=NO_TASK)
    return Claim(_grant(agent, chosen, places, now, actor))


def _choose(room: Room, places: Places, maximum: int, actor: str) -> list[Task]:
    """The best candidates that fit, locked; those that others hold now are passed over."""
    chosen: list[Task] = []
    seen: list[str] = []
    while len(chosen) < maximum and len(seen) < LOOK_AHEAD * maximum:
        wanted = maximum - len(chosen)
        batch = list(_candidates(list(room.classes), seen)[:wanted])
        places.lock_for(batch)
        for task in batch:
            task.task_class = room.classes[task.task_class_id]
            if room.fits(task.task_class) and places.take(task):
                room.take(task.task_class)
                chosen.append(task)
        seen.extend(task.pk for task in batch)
        if len(batch) < wanted:
            break
    return chosen


def _candidates(class_keys: list[str], seen: list[str]) -> QuerySet[Task]:
    # On PostgreSQL the rows are locked as they are read and only these are updated, by key: the
    # planner has no chance to update more than the limit. SQLite's transaction is the only writer.
    rows = Task.objects.filter(status=Task.Status.PENDING, task_class__in=class_keys)
    rows = rows.exclude(pk__in=seen) if seen else rows
    return rows.order_by("-preempt", "rank", "pk").select_for_update(skip_locked=True, no_key=True)


def _grant(
    agent: Agent, tasks: list[Task], places: Places, now: datetime, actor: str
) -> list[Claimed]:
    """Leases, attempts and events for locked tasks; a constant number of statements."""
    resumed = {task.pk for task in tasks if task.resumes}
    move(
        tasks,
        Task.Status.RUNNING,
        assigned_agent=agent.agent_id,
        lease_epoch=F("lease_epoch") + 1,
        attempts=Case(When(resumes=True, then=F("attempts")), default=F("attempts") + 1),
        queue_expires_at=None,
        started_at=Coalesce(F("started_at"), Value(now)),
        first_leased_at=Coalesce(F("first_leased_at"), Value(now)),
        resumes=False,
    )
    for task in tasks:
        task.lease_epoch += 1
        task.attempts += task.pk not in resumed
        task.started_at = task.started_at or now
        task.first_leased_at = task.first_leased_at or now
    attempts = _attempts(agent, tasks, resumed, now)
    leases = [_lease(agent, task, attempts[task.pk], places, now) for task in tasks]
    facts = [(task, _facts(agent, task)) for task in tasks]
    with together():
        insert_rows(leases)
        places.hold(leases)
        emit_many(events.TASK_ASSIGNED, facts, actor=actor)
    return [
        Claimed(task, lease.pk, lease.epoch, lease.expires_at, task.attempts)
        for task, lease in zip(tasks, leases, strict=True)
    ]


def _attempts(
    agent: Agent, tasks: list[Task], resumed: set[str], now: datetime
) -> dict[str, Attempt]:
    """A new attempt for each start; after an answer the same one goes on."""
    started = [
        Attempt(
            task=task,
            number=task.attempts,
            agent=agent,
            lease_epoch=task.lease_epoch,
            started_at=now,
        )
        for task in tasks
        if task.pk not in resumed
    ]
    insert_rows(started)
    found = {row.task_id: row for row in started}
    if resumed:
        put_aside = Attempt.objects.filter(task__in=resumed, outcome=Attempt.Outcome.WAITING)
        found.update({row.task_id: row for row in put_aside})
        put_aside.update(outcome=Attempt.Outcome.RUNNING, agent=agent)
    return found


def _lease(agent: Agent, task: Task, attempt: Attempt, places: Places, now: datetime) -> Lease:
    policy = policy_of(task)
    execution_ends_at = now + timedelta(seconds=policy.execution_timeout_s)
    return Lease(
        task=task,
        agent=agent,
        attempt=attempt,
        epoch=task.lease_epoch,
        request=task.task_class.request,
        has_holds=places.holds(task),
        lease_s=policy.lease_s,
        granted_at=now,
        expires_at=min(now + timedelta(seconds=policy.lease_s), execution_ends_at),
        execution_ends_at=execution_ends_at,
    )


def _facts(agent: Agent, task: Task) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "attempt": task.attempts,
        "lease_epoch": task.lease_epoch,
        "task_type": task.task_type,
    }
