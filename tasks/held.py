"""The leases that this process holds: renewed while the work goes on, released when it stops."""

import logging
import threading
import time
from dataclasses import dataclass, field

from django.db import DatabaseError

from platform_site.common.errors import Refusal
from tasks.models import Task
from tasks.services import task_heartbeat, task_release

log = logging.getLogger(__name__)


@dataclass
class HeldTask:
    """One task under a lease of ours."""

    agent_id: str
    task: Task
    lease_id: str
    lease_epoch: int
    attempt: int
    lease_s: float
    is_lost: bool = False
    renewed_at: float = field(default_factory=time.monotonic)

    def is_due(self, now: float) -> bool:
        """A third of the lease is over."""
        return now - self.renewed_at >= self.lease_s / 3


class Held:
    """All tasks under leases of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, HeldTask] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, held: HeldTask) -> None:
        """From now on its lease is renewed."""
        with self._lock:
            self._tasks[held.lease_id] = held

    def drop(self, held: HeldTask) -> None:
        """Its lease ended, or is somebody else's business."""
        with self._lock:
            self._tasks.pop(held.lease_id, None)

    def renew_due(self) -> None:
        """Renew every lease of which a third is over; one that is lost is marked and forgotten."""
        now = time.monotonic()
        for held in self._all():
            if held.is_due(now):
                self._renew(held, now)

    def release_all(self, reason: str) -> int:
        """Give back what is still held, nothing spent; returns how much it was."""
        tasks = self._all()
        for held in tasks:
            release(held, reason)
            self.drop(held)
        return len(tasks)

    def _all(self) -> list[HeldTask]:
        with self._lock:
            return list(self._tasks.values())

    def _renew(self, held: HeldTask, now: float) -> None:
        try:
            task_heartbeat(
                held.task,
                lease_id=held.lease_id,
                lease_epoch=held.lease_epoch,
                actor=held.agent_id,
            )
        except Refusal as refusal:
            log.warning("The lease of %s is lost: %s", held.task, refusal.detail)
            held.is_lost = True
            self.drop(held)
        except DatabaseError as error:
            log.warning("The lease of %s could not be renewed: %s", held.task, error)
        else:
            held.renewed_at = now


def release(held: HeldTask, reason: str) -> None:
    """Give a task back unworked, nothing spent. A lease that is lost already needs no release."""
    try:
        task_release(
            held.task,
            lease_id=held.lease_id,
            lease_epoch=held.lease_epoch,
            reason=reason,
            actor=held.agent_id,
        )
    except (Refusal, DatabaseError) as error:
        log.warning("%s could not be released: %s", held.task, error)
