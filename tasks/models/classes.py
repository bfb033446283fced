"""Kinds of tasks and what bounds them: classes, breakers, concurrency limits."""

from django.db import models

from platform_site.common.models import BaseModel


class TaskClass(models.Model):
    """One set of demands on an agent; agents are matched with classes, never with tasks.

    The key is a digest of the demands: whoever submits the same demands names the same row.
    """

    key = models.CharField(max_length=40, primary_key=True)
    capabilities = models.JSONField(default=list)
    services = models.JSONField(default=list)
    agent_type = models.CharField(max_length=40, blank=True)
    agent_id = models.CharField(max_length=200, blank=True)
    min_health = models.FloatField(default=0)
    request = models.JSONField(default=dict)  # normalised quantities, decimals as text
    # Policies of the class by the names of tasks.policies.Policy; a task's own win.
    policy = models.JSONField(default=dict)
    p90_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "key")
        verbose_name_plural = "task classes"

    def __str__(self) -> str:
        return f"Class {self.key[:8]} ({', '.join(self.capabilities) or 'any'})"


class Breaker(BaseModel):
    """How often in a row an agent failed tasks of a class, and until when it gets none."""

    agent = models.ForeignKey("registry.Agent", on_delete=models.CASCADE, related_name="breakers")
    task_class = models.ForeignKey(TaskClass, on_delete=models.CASCADE, related_name="breakers")
    failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField()
    opened_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("agent", "task_class"), name="tasks_breaker_once")
        ]

    def __str__(self) -> str:
        return f"Breaker of agent {self.agent_id} for {self.task_class_id}"


class ConcurrencyLimit(BaseModel):
    """The row that a claim locks while it counts how many live leases hold a key.

    `limit` is set for capabilities (`capability:gpu`, cluster-wide); a task's own key
    (`key:…`, `writes:…`) carries its limit in the task.
    """

    key = models.CharField(max_length=260, primary_key=True)
    limit = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return f"Limit {self.key}"


class LimitHold(models.Model):
    """A live lease that holds one place of a limited key; gone when the lease ends."""

    lease = models.ForeignKey(
        "tasks.Lease", on_delete=models.CASCADE, related_name="holds", db_index=False
    )
    key = models.CharField(max_length=260)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("lease", "key"), name="tasks_limithold_once")
        ]
        indexes = [models.Index(fields=["key"], name="tasks_limithold_key")]

    def __str__(self) -> str:
        return f"{self.key} held by lease {self.lease_id}"
