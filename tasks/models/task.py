"""The task: its record, its states, its constraints."""

from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from platform_site.common.models import StatefulModel, status_known
from tasks.models.classes import TaskClass


def new_task_id() -> str:
    """A random UUID as text."""
    return str(uuid4())


class TaskStatus(models.TextChoices):
    """Where a task stands; what follows on what is in `Task.TRANSITIONS`."""

    SCHEDULED = "scheduled"  # not before `due_at`, or a dependency is open
    PENDING = "pending"  # may be claimed
    ASSIGNED = "assigned"  # pushed, not yet delivered
    RUNNING = "running"  # under a lease
    WAITING = "waiting"  # for an answer; no lease
    RETRYING = "retrying"  # again at `due_at`
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Task(StatefulModel):
    """One piece of work that somebody wants done, from its submission to its end."""

    Status = TaskStatus

    TRANSITIONS = {
        Status.SCHEDULED: {Status.PENDING, Status.CANCELLED, Status.EXPIRED},
        Status.PENDING: {
            Status.ASSIGNED,
            Status.RUNNING,
            Status.COMPLETED,
            Status.CANCELLED,
            Status.EXPIRED,
        },
        Status.ASSIGNED: {Status.RUNNING, Status.PENDING, Status.CANCELLED},
        Status.RUNNING: {
            Status.WAITING,
            Status.COMPLETED,
            Status.RETRYING,
            Status.PENDING,
            Status.FAILED,
            Status.CANCELLED,
        },
        Status.WAITING: {Status.PENDING, Status.CANCELLED, Status.EXPIRED},
        Status.RETRYING: {Status.PENDING, Status.COMPLETED, Status.CANCELLED, Status.EXPIRED},
        Status.COMPLETED: set(),
        Status.REJECTED: set(),
        Status.FAILED: {Status.COMPLETED, Status.PENDING},
        Status.EXPIRED: {Status.COMPLETED, Status.PENDING},
        Status.CANCELLED: {Status.PENDING},
    }
    OPEN = (
        Status.SCHEDULED,
        Status.PENDING,
        Status.ASSIGNED,
        Status.RUNNING,
        Status.WAITING,
        Status.RETRYING,
    )
    LEASED = (Status.ASSIGNED, Status.RUNNING)
    QUEUED = (Status.SCHEDULED, Status.PENDING, Status.RETRYING, Status.WAITING)

    class UniqueScope(models.TextChoices):
        UNTIL_STARTED = "until_started"
        UNTIL_CLOSED = "until_closed"
        TTL = "ttl"

    id = models.CharField(max_length=200, primary_key=True, default=new_task_id)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    task_type = models.CharField(max_length=120, blank=True)
    payload = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    metadata = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    requirements = models.JSONField(
        default=dict, blank=True
    )  # as the Coordinator's client wrote them
    resources = models.JSONField(default=dict, blank=True)  # as written: "1Gi"
    required_capabilities = models.JSONField(default=list, blank=True)
    agent_id = models.CharField(
        max_length=200, blank=True
    )  # the target, if only one agent may do it
    # The indexes below begin with it; a second one would cost every write.
    task_class = models.ForeignKey(
        TaskClass, on_delete=models.PROTECT, related_name="tasks", db_index=False
    )
    submitted_by = models.CharField(max_length=220)
    body_hash = models.CharField(max_length=64, blank=True, editable=False)

    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    priority = models.PositiveSmallIntegerField(default=5)
    priority_word = models.CharField(
        max_length=20, blank=True
    )  # as the Coordinator's client typed it
    preempt = models.BooleanField(default=False)
    rank = models.BigIntegerField(default=0)  # static, in milliseconds

    run_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)  # scheduled, retrying: not before
    ready_at = models.DateTimeField(null=True, blank=True)  # pending since
    deadline = models.DateTimeField(null=True, blank=True)
    # A deadline that was past already at submit is kept and shown, and never expires the task.
    deadline_binds = models.BooleanField(default=False)
    queue_expires_at = models.DateTimeField(null=True, blank=True)
    first_leased_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    policy = models.JSONField(
        default=dict, blank=True
    )  # what the submitter set; see tasks.policies
    attempts = models.PositiveIntegerField(default=0)  # the number of the newest attempt
    failures = models.PositiveIntegerField(default=0)
    lease_losses = models.PositiveIntegerField(default=0)
    releases = models.PositiveIntegerField(default=0)
    lease_epoch = models.PositiveIntegerField(default=0)
    assigned_agent = models.CharField(max_length=200, blank=True)
    resumes = models.BooleanField(default=False)  # the next start goes on with the newest attempt

    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.TextField(blank=True)
    dead_lettered_at = models.DateTimeField(null=True, blank=True)
    dead_letter_reason = models.CharField(max_length=30, blank=True)
    trace_id = models.CharField(max_length=40, blank=True)
    causation_id = models.CharField(max_length=220, blank=True)
    causation_depth = models.PositiveSmallIntegerField(default=0)

    result = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    error = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    progress = models.FloatField(null=True, blank=True)
    note = models.TextField(blank=True)
    checkpoint = models.JSONField(null=True, blank=True)
    question = models.JSONField(null=True, blank=True)  # waiting: reason, prompt, form
    answer = models.JSONField(null=True, blank=True)

    unique_key = models.CharField(max_length=250, blank=True)
    unique_scope = models.CharField(max_length=20, choices=UniqueScope, blank=True)
    unique_until = models.DateTimeField(null=True, blank=True)
    unique_held = models.BooleanField(default=False)
    concurrency_key = models.CharField(max_length=250, blank=True)
    concurrency_limit = models.PositiveIntegerField(default=1)
    writes = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            status_known(TaskStatus),
            models.UniqueConstraint(
                fields=("unique_key",), condition=Q(unique_held=True), name="tasks_task_unique_held"
            ),
            models.CheckConstraint(
                condition=Q(unique_held=False)
                | Q(unique_scope="ttl")
                | Q(
                    status__in=[
                        "scheduled",
                        "pending",
                        "assigned",
                        "running",
                        "waiting",
                        "retrying",
                    ]
                ),
                name="tasks_task_unique_held_while_open",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=10), name="tasks_task_priority_1_to_10"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-preempt", "rank", "id"],
                condition=Q(status="pending"),
                name="tasks_task_queue",
            ),
            models.Index(
                fields=["task_class", "-preempt", "rank", "id"],
                condition=Q(status="pending"),
                name="tasks_task_class_queue",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["scheduled", "retrying"]),
                name="tasks_task_due",
            ),
            models.Index(
                fields=["deadline"],
                condition=Q(
                    deadline_binds=True,
                    status__in=["scheduled", "pending", "waiting", "retrying"],
                ),
                name="tasks_task_deadline",
            ),
            models.Index(
                fields=["queue_expires_at"],
                condition=Q(queue_expires_at__isnull=False),
                name="tasks_task_queue_expires",
            ),
            models.Index(
                fields=["cancel_requested_at"],
                condition=Q(cancel_requested_at__isnull=False, status__in=["assigned", "running"]),
                name="tasks_task_cancel_grace",
            ),
            models.Index(fields=["-created_at", "-id"], name="tasks_task_newest"),
            models.Index(fields=["status", "-created_at"], name="tasks_task_status"),
            models.Index(
                fields=["assigned_agent", "-created_at"],
                condition=~Q(assigned_agent=""),
                name="tasks_task_agent",
            ),
            models.Index(
                fields=["dead_lettered_at"],
                condition=Q(dead_lettered_at__isnull=False),
                name="tasks_task_dead_letter",
            ),
        ]

    def __str__(self) -> str:
        return f"Task {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether work may still happen without an operator."""
        return self.status in self.OPEN


class TaskDependency(models.Model):
    """`task` does not start before `on` is completed."""

    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="dependencies", db_index=False
    )
    on = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="dependents")

    class Meta:
        verbose_name_plural = "task dependencies"
        constraints = [
            models.UniqueConstraint(fields=("task", "on"), name="tasks_taskdependency_once")
        ]

    def __str__(self) -> str:
        return f"{self.task_id} after {self.on_id}"
