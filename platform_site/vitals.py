"""What the health routes measure: database, Redis, how far handlers lag, an agent's pulse."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from messaging import connections
from messaging.models import Event
from registry.discovery import count_by_status, registered
from registry.status import LIVE, with_status
from tasks.fanout import CONSUMER
from tasks.models import Attempt, Consumer, Task

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
LAG_ALLOWED_S = 30
REDIS_WITHIN_S = 0.5
WORKING = ("active", "busy", "maintenance")
STARTED = time.monotonic()


@dataclass(frozen=True)
class Pulse:
    """An agent as the registry sees it."""

    state: str
    last_seen_at: datetime | None
    last_claim_at: datetime | None


def uptime_s() -> int:
    """How long this process has been running."""
    return int(time.monotonic() - STARTED)


def database_answers() -> bool:
    """Whether the database answers a query; waits no longer than its connection settings allow."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def redis_state() -> str:
    """`not_configured` is no fault: the bell then rings inside this process."""
    if not settings.REDIS_URL:
        return "not_configured"
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_WITHIN_S, socket_connect_timeout=REDIS_WITHIN_S
    )
    try:
        client.ping()
    except redis.RedisError:
        return UNHEALTHY
    finally:
        client.close()
    return HEALTHY


def handler_lag_s() -> float:
    """Age of the oldest event that no handler has been asked about yet; 0 if there is none."""
    place = Consumer.objects.filter(name=CONSUMER).values_list("seq", flat=True).first() or 0
    events = Event.objects.values_list("created_at", flat=True)
    waiting = [
        events.filter(seq__gt=place).order_by("seq").first(),
        events.filter(seq=None).order_by("pk").first(),
    ]
    ages = [(timezone.now() - since).total_seconds() for since in waiting if since]
    return round(max(0.0, *ages), 1) if ages else 0.0


def pulse_of(agent_id: str) -> Pulse:
    """The agent's state, its last sign of life and when its newest attempt began."""
    agent: Any = with_status(
        registered().filter(agent_id=agent_id).select_related("presence")
    ).first()
    if agent is None:
        return Pulse("unregistered", None, None)
    attempts = Attempt.objects.filter(agent=agent).order_by("-ended_at")
    last_claim_at = attempts.values_list("started_at", flat=True).first()
    return Pulse(agent.computed_status, agent.presence.last_seen_at, last_claim_at)


def platform_figures() -> dict[str, int]:
    """Active agents, open tasks, open sockets of this process."""
    counts = count_by_status(registered())
    return {
        "active_agents": sum(counts.get(status, 0) for status in LIVE),
        "active_tasks": Task.objects.filter(status__in=Task.OPEN).count(),
        "active_connections": connections.count(),
    }
