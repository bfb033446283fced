"""Tasks for tests, in any state, moved there by the services that lead there."""

from typing import Any

from registry.models import Agent
from tasks import services
from tasks.models import Task
from tasks.services import Claimed


def make_task(title: str = "Count the stars", **wishes: Any) -> Task:
    """A submitted task."""
    return services.task_submit(title=title, actor=wishes.pop("actor", "test"), **wishes)


def claim_one(agent: Agent, **wishes: Any) -> Claimed:
    """What the agent gets when it claims one task."""
    claim = services.task_claim(agent, **wishes, actor="test")
    assert claim.tasks, f"nothing to claim: {claim.reason}"
    return claim.tasks[0]


def fence(item: Claimed) -> dict[str, Any]:
    """What every call under the lease shows."""
    return {"lease_id": item.lease_id, "lease_epoch": item.lease_epoch}


def make_running(agent: Agent, title: str = "Count the stars", **wishes: Any) -> Claimed:
    """A task that the agent holds."""
    task = make_task(title, **wishes)
    claim = services.task_claim(agent, maximum=50, actor="test")
    return next(item for item in claim.tasks if item.task.pk == task.pk)
