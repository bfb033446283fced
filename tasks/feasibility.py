"""Whether any registered agent could ever do a task of a class."""

from datetime import datetime
from functools import lru_cache

from django.db.models import Count, Max

from registry.discovery import registered
from tasks.classes import Worker, blocker
from tasks.models import TaskClass


def why_infeasible(task_class: TaskClass) -> str:
    """A sentence, or nothing if some agent that is registered at present could do it."""
    state = registered().aggregate(changed=Max("updated_at"), number=Count("pk"))
    workers = _workers(state["changed"], state["number"])
    if any(blocker(worker, task_class) is None for worker in workers):
        return ""
    return "No registered agent can do this task; it waits until one registers that can."


@lru_cache(maxsize=2)
def _workers(changed: datetime | None, number: int) -> tuple[Worker, ...]:
    """All agents, read again only when the registry has changed. Health is no fact of this kind."""
    return tuple(Worker.of(agent) for agent in registered().iterator())
