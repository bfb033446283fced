"""Signs of life: cheap, often, without an event."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from platform_site.common.access import requires
from registry.declaration import check_status
from registry.identity import require_incarnation
from registry.models import Agent, Presence

ABSENT = ("inactive", "stale")  # words that a heartbeat disproves
TOUCHED_EVERY = timedelta(seconds=1)


@requires("agent:status")
@transaction.atomic
def agent_heartbeat(
    agent: Agent,
    *,
    status: str = "",
    load_metrics: dict[str, float] | None = None,
    incarnation: int | None = None,
    actor: str,
) -> Agent:
    """The agent lives. Raises Superseded, Invalid.

    A heartbeat disproves a reported `inactive` or `stale` and leaves every other word alone: an
    agent that asked for rest is not woken by its own pulse.
    """
    require_incarnation(agent, incarnation)
    if status:
        check_status(status)
    seen_now(agent, reported=status, load_metrics=load_metrics)
    return agent


@requires("agent:status")
@transaction.atomic
def agent_report_status(
    agent: Agent,
    *,
    status: str,
    load_metrics: dict[str, float] | None = None,
    incarnation: int | None = None,
    actor: str,
) -> Agent:
    """The agent says how it is; `inactive` and `stale` are no signs of life.

    Raises Superseded, Invalid.
    """
    require_incarnation(agent, incarnation)
    check_status(status)
    seen_now(agent, reported=status, load_metrics=load_metrics)
    return agent


def presence_touch(agent: Agent, *, polling_for_s: float | None = None) -> None:
    """A claim or a call under a lease is a sign of life; written at most once a second.

    A claim says with `polling_for_s` how long it is willing to wait; the agent counts as polling
    for twice that time.
    """
    changes: dict[str, Any] = {"last_seen_at": Now()}
    if polling_for_s is not None:
        changes["polling_until"] = _polling_until(polling_for_s)
    Presence.objects.filter(touch_is_due(polling_for_s), agent=agent).update(**changes)


def touch_is_due(polling_for_s: float | None, *, of: str = "") -> Q:
    """Whether `presence_touch` would write; `of` is the way from the rows asked to the presence."""
    is_due = Q((f"{of}last_seen_at", None)) | Q((f"{of}last_seen_at__lt", Now() - TOUCHED_EVERY))
    if polling_for_s is not None:
        until = _polling_until(polling_for_s) - TOUCHED_EVERY
        is_due |= Q((f"{of}polling_until", None)) | Q((f"{of}polling_until__lt", until))
    return is_due


def _polling_until(polling_for_s: float) -> Any:
    return Now() + timedelta(seconds=2 * max(polling_for_s, 1))


def seen_now(
    agent: Agent, *, reported: str = "", load_metrics: dict[str, float] | None = None
) -> None:
    """Note a sign of life in one statement; `load_metrics` are merged under the row's lock."""
    rows = Presence.objects.filter(agent=agent)
    changes: dict[str, Any] = {"reported_status": reported or _still_reported()}
    if reported not in ABSENT:
        changes["last_seen_at"] = Now()
    if load_metrics:
        stored = rows.select_for_update().values_list("load_metrics", flat=True).get()
        changes["load_metrics"] = {**stored, **load_metrics}
    rows.update(**changes)


def _still_reported() -> Case:
    return Case(
        When(reported_status__in=ABSENT, then=Value("active")), default=F("reported_status")
    )
