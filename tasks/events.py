"""What happens to tasks, and the facts that each event carries."""

TASK_SUBMITTED = "task.submitted"  # title, status, task_type, priority
TASK_REJECTED = "task.rejected"  # title, reason
TASK_READY = "task.ready"  # from
TASK_ASSIGNED = "task.assigned"  # agent_id, attempt, lease_epoch
TASK_STARTED = "task.started"  # push only: agent_id, attempt, lease_epoch
TASK_WAITING = "task.waiting"  # agent_id, reason
TASK_RESUMED = "task.resumed"
TASK_RELEASED = "task.released"  # agent_id, status, reason
TASK_RETRY_SCHEDULED = "task.retry_scheduled"  # agent_id, failures, next_attempt_at, error
TASK_LEASE_LOST = "task.lease_lost"  # agent_id, lease_losses, lease_epoch
TASK_COMPLETED = "task.completed"  # agent_id, attempt, late
TASK_FAILED = "task.failed"  # agent_id, reason, error
TASK_CANCEL_REQUESTED = "task.cancel_requested"  # reason
TASK_CANCELLED = "task.cancelled"  # reason
TASK_EXPIRED = "task.expired"  # reason
TASK_REDRIVEN = "task.redriven"  # reason, changes
TASK_CHANGED = "task.changed"  # fields
TASK_ORPHAN_RESULT = "task.orphan_result"  # agent_id, lease_epoch, differs
TASK_ORPHAN_DISCARDED = "task.orphan_discarded"  # number, reason
LIMIT_CHANGED = "limit.changed"  # key, limit
