"""What happens to a task: leases, attempts, results that came too late, redrives.

Foreign keys with `db_index=False` are the first column of a constraint or index of their table.
"""

from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from platform_site.common.models import StatefulModel, status_known
from tasks.models.task import Task


def new_lease_id() -> str:
    """A random UUID as text."""
    return str(uuid4())


class Attempt(models.Model):
    """One start of a task; it gets its outcome once and is never changed after that."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        WAITING = "waiting"  # goes on as the same attempt after the answer
        COMPLETED = "completed"
        FAILED = "failed"
        LOST = "lost"
        RELEASED = "released"
        CANCELLED = "cancelled"

    OVER = (Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST)

    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="attempt_rows", db_index=False
    )
    number = models.PositiveIntegerField()
    agent = models.ForeignKey(
        "registry.Agent", on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    lease_epoch = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.RUNNING)
    late = models.BooleanField(default=False)
    error = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("task", "number")
        constraints = [
            models.UniqueConstraint(fields=("task", "number"), name="tasks_attempt_once"),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "running",
                        "waiting",
                        "completed",
                        "failed",
                        "lost",
                        "released",
                        "cancelled",
                    ]
                ),
                name="tasks_attempt_outcome_known",
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "-ended_at"], name="tasks_attempt_agent"),
            models.Index(fields=["-ended_at"], name="tasks_attempt_ended"),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of task {self.task_id}"


class Lease(models.Model):
    """The right of an agent to work on a task until `expires_at`; `epoch` is its fencing token."""

    class Outcome(models.TextChoices):
        COMPLETED = "completed"
        FAILED = "failed"
        RELEASED = "released"
        WAITING = "waiting"
        CANCELLED = "cancelled"
        LOST = "lost"  # expired, or not held any more after a restart
        REVOKED = "revoked"  # taken back by the server, nothing spent

    id = models.CharField(max_length=40, primary_key=True, default=new_lease_id)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="leases", db_index=False)
    agent = models.ForeignKey(
        "registry.Agent", on_delete=models.PROTECT, related_name="leases", db_index=False
    )
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="leases")
    epoch = models.PositiveIntegerField()
    request = models.JSONField(default=dict)  # what it takes of the agent's capacity
    has_holds = models.BooleanField(default=False)
    lease_s = models.PositiveIntegerField()
    granted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    execution_ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    answer = models.JSONField(null=True)  # to the call that ended it; a repeat gets the same

    class Meta:
        ordering = ("-granted_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("task",), condition=Q(ended_at=None), name="tasks_lease_one_live"
            ),
            models.UniqueConstraint(fields=("task", "epoch"), name="tasks_lease_epoch_once"),
        ]
        indexes = [
            models.Index(fields=["agent"], condition=Q(ended_at=None), name="tasks_lease_live"),
            models.Index(
                fields=["expires_at"], condition=Q(ended_at=None), name="tasks_lease_expiry"
            ),
            models.Index(fields=["-granted_at"], name="tasks_lease_granted"),
        ]

    def __str__(self) -> str:
        return f"Lease {self.epoch} of task {self.task_id}"


class OrphanStatus(models.TextChoices):
    """What became of a late result."""

    STORED = "stored"
    ACCEPTED = "accepted"
    DISCARDED = "discarded"


class OrphanResult(StatefulModel):
    """A result that came under an outdated lease; an operator decides what it is worth."""

    Status = OrphanStatus

    TRANSITIONS = {
        Status.STORED: {Status.ACCEPTED, Status.DISCARDED},
        Status.ACCEPTED: set(),
        Status.DISCARDED: set(),
    }

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="orphans", db_index=False)
    number = models.PositiveIntegerField()
    lease_epoch = models.PositiveIntegerField()
    agent = models.ForeignKey("registry.Agent", on_delete=models.PROTECT, related_name="orphans")
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    differs = models.BooleanField(default=False)  # from the result that was accepted
    status = models.CharField(max_length=20, choices=Status, default=Status.STORED)
    decided_by = models.CharField(max_length=220, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("task", "number")
        constraints = [
            status_known(OrphanStatus),
            models.UniqueConstraint(fields=("task", "number"), name="tasks_orphanresult_number"),
            models.UniqueConstraint(
                fields=("task", "lease_epoch"), name="tasks_orphanresult_epoch"
            ),
        ]

    def __str__(self) -> str:
        return f"Late result {self.number} of task {self.task_id}"


class Redrive(models.Model):
    """An operator's order to run a closed task again, and what it changed in the payload."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="redrives")
    actor = models.CharField(max_length=220)
    reason = models.TextField(blank=True)
    payload_before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    changes = models.JSONField(default=list, encoder=DjangoJSONEncoder)  # path, from, to
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("task", "pk")

    def __str__(self) -> str:
        return f"Redrive of task {self.task_id}"
