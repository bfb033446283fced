"""Figures of the queue and of the distribution of work, by query."""

from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q
from django.utils import timezone

from registry.discovery import registered
from registry.status import LIVE, with_status
from tasks.models import Attempt, Lease, Task
from tasks.priorities import BANDS

FAILED = (Task.Status.FAILED, Task.Status.EXPIRED, Task.Status.REJECTED)
STRATEGY = "pull"  # agents take their work themselves; nobody distributes it


def queue_sizes() -> dict[str, int]:
    """Pending tasks of each band."""
    bands = {
        word: Count("pk", filter=Q(priority__gte=low, priority__lte=high))
        for word, (low, high) in BANDS.items()
    }
    pending = Task.objects.filter(status=Task.Status.PENDING)
    return dict(pending.aggregate(**bands))


def distribution_stats() -> dict[str, Any]:
    """What the Coordinator API calls `stats`, in exactly its keys."""
    counts = Task.objects.aggregate(
        tasks_distributed=Count("pk", filter=Q(first_leased_at__isnull=False)),
        tasks_completed=Count("pk", filter=Q(status=Task.Status.COMPLETED)),
        tasks_failed=Count("pk", filter=Q(status__in=FAILED)),
    )
    return {
        **counts,
        "avg_distribution_time": _seconds_from_ready_to_lease(),
        "load_balancer_stats": balancer_stats(),
        "queue_sizes": queue_sizes(),
    }


def balancer_stats() -> dict[str, Any]:
    """Who got how much, and how it went."""
    ended = Attempt.objects.aggregate(
        good=Count("pk", filter=Q(outcome=Attempt.Outcome.COMPLETED)),
        bad=Count("pk", filter=Q(outcome__in=(Attempt.Outcome.FAILED, Attempt.Outcome.LOST))),
    )
    judged = ended["good"] + ended["bad"]
    agents = with_status(registered())
    loads = [row.in_flight / row.max_concurrency for row in agents]
    return {
        "strategy": STRATEGY,
        "total_assignments": Lease.objects.count(),
        "successful_assignments": ended["good"],
        "failed_assignments": ended["bad"],
        "success_rate": round(ended["good"] / judged, 4) if judged else 0.0,
        "active_agents": sum(row.computed_status in LIVE for row in agents),
        "agent_weights": sum(row.weight != 1 for row in agents),
        "avg_agent_load": round(sum(loads) / len(loads), 4) if loads else 0.0,
    }


def live_figures() -> dict[str, Any]:
    """What the queue adds to the snapshots of `system_metrics`."""
    ended = Attempt.objects.filter(ended_at__gte=timezone.now() - timedelta(minutes=1))
    return {
        "queue_depth": Task.objects.filter(status=Task.Status.PENDING).count(),
        "live_leases": Lease.objects.filter(ended_at=None).count(),
        "completed_per_minute": ended.filter(outcome=Attempt.Outcome.COMPLETED).count(),
        "load_balancer_stats": balancer_stats(),
    }


def _seconds_from_ready_to_lease() -> float:
    """The mean over the leases of the last hour."""
    waited = ExpressionWrapper(F("granted_at") - F("task__ready_at"), DurationField())
    recent = Lease.objects.filter(
        granted_at__gte=timezone.now() - timedelta(hours=1), task__ready_at__lte=F("granted_at")
    )
    mean: timedelta | None = recent.aggregate(mean=Avg(waited))["mean"]
    return round(mean.total_seconds(), 6) if mean else 0.0
