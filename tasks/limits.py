"""Concurrency limits of capabilities and keys, counted from live leases."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count

from platform_site.common.rows import insert_rows
from tasks.models import ConcurrencyLimit, Lease, LimitHold, Task, TaskClass

CAPABILITY, KEY, WRITES = "capability:", "key:", "writes:"


def own_keys(task: Task) -> dict[str, int]:
    """The keys that the task itself declares, with how many may hold each at once."""
    keys = {f"{WRITES}{entry}": 1 for entry in task.writes}
    if task.concurrency_key:
        keys[f"{KEY}{task.concurrency_key}"] = task.concurrency_limit
    return keys


def capability_keys(task_class: TaskClass) -> list[str]:
    """The keys under which a limit of the class's capabilities would stand."""
    return [f"{CAPABILITY}{word}" for word in task_class.capabilities]


def holders(keys: Iterable[str]) -> Counter[str]:
    """How many live leases hold each key."""
    rows = LimitHold.objects.filter(key__in=list(keys)).order_by()
    return Counter(dict(rows.values_list("key").annotate(Count("pk"))))


class Places:
    """The free places of all limited keys that one claim touches, under the locks of their rows."""

    def __init__(self, classes: Mapping[str, TaskClass], *, has_limits: bool) -> None:
        self.classes = classes
        self.has_limits = has_limits  # of any capability; without one there is nothing to ask for
        self.limits: dict[str, int] = {}  # of capabilities that have one
        self.held: Counter[str] = Counter()
        self.locked: set[str] = set()

    def lock_for(self, tasks: Sequence[Task]) -> None:
        """Lock the limit rows of the candidates, in the order of their keys, and count holders."""
        own = {key for task in tasks for key in own_keys(task)}
        classes = {task.task_class_id: self._class(task) for task in tasks}.values()
        of_classes = {key for row in classes if self.has_limits for key in capability_keys(row)}
        if not (wanted := (own | of_classes) - self.locked):
            return
        if new := own - self.locked:
            rows = [ConcurrencyLimit(key=key) for key in sorted(new)]
            ConcurrencyLimit.objects.bulk_create(rows, ignore_conflicts=True)
        rows_to_lock = ConcurrencyLimit.objects.filter(key__in=wanted).order_by("key")
        found = {row.key: row.limit for row in rows_to_lock.select_for_update(no_key=True)}
        self.limits.update({key: limit for key, limit in found.items() if limit is not None})
        self.locked |= wanted
        if found:
            self.held.update(holders(found))

    def take(self, task: Task) -> bool:
        """Take one place of each key of the task, or none."""
        limited = self._limited(task)
        if any(self.held[key] >= limit for key, limit in limited.items()):
            return False
        self.held.update(limited.keys())
        return True

    def holds(self, task: Task) -> bool:
        """Whether a lease on the task occupies a place."""
        return bool(self._limited(task))

    def hold(self, leases: Iterable[Lease]) -> None:
        """Write down which leases hold which keys."""
        rows = [
            LimitHold(lease=lease, key=key)
            for lease in leases
            if lease.has_holds
            for key in self._limited(lease.task)
        ]
        insert_rows(rows, with_keys=False)

    def _class(self, task: Task) -> TaskClass:
        return self.classes[task.task_class_id]

    def _limited(self, task: Task) -> dict[str, int]:
        of_class = {
            key: self.limits[key]
            for key in capability_keys(self._class(task))
            if key in self.limits
        }
        return {**of_class, **own_keys(task)}
