"""`/health` on every port and the Platform API's three health routes: measured, no constants."""

from typing import Any

from django.conf import settings
from django.db import Error
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.agents import AGENTS, BY_PACKAGE, COORDINATOR_PORT, AgentSpec
from platform_site import vitals
from platform_site.common import json
from platform_site.common.api import ApiView, platform
from platform_site.vitals import DEGRADED, HEALTHY, UNHEALTHY

_MESSAGES = {
    HEALTHY: "Everything that was measured is well.",
    DEGRADED: "It answers, but what stands in `checks` lags behind.",
    UNHEALTHY: "The database does not answer.",
}


class OpenView(ApiView):
    """A route without credentials: none is read, so that it answers when the database does not."""

    authentication_classes = []
    access = {"get": None}


class HealthView(OpenView):
    """`/health`: whether the agent of this port, or the coordinator, can work."""

    def get(self, request: Request) -> Response:
        """Database, handlers and the agent's pulse."""
        port = int(request.META.get("SERVER_PORT") or settings.PORT)
        spec = BY_PACKAGE.get(settings.PORT_PACKAGES.get(port, ""), AGENTS[0])
        is_coordinator = port == COORDINATOR_PORT
        status, checks = measured(None if is_coordinator else spec)
        body: dict[str, Any] = {"status": status}
        if not is_coordinator:
            body["agent"] = spec.agent_id
        body["version"] = version() if is_coordinator else spec.version
        body["timestamp"] = json.instant(timezone.now())
        body["uptime_seconds"] = vitals.uptime_s()
        body["checks"] = checks
        if not is_coordinator and not spec.is_implemented:
            body["implemented"] = False
        if is_coordinator or port not in settings.PORT_PACKAGES:
            body["service"] = "agent-coordinator"
            body["message"] = _MESSAGES[status]
            body["details"] = checks
        return Response(body, 503 if status == UNHEALTHY else 200)


class PlatformHealthView(OpenView):
    """`/api/v1/health` and `/ready`: the platform in its parts."""

    def get(self, request: Request) -> Response:
        """Components and figures; 503 in the same shape if the database is away."""
        status, checks = measured(None)
        redis = vitals.redis_state()
        metrics: dict[str, Any] = dict.fromkeys(
            ("active_agents", "active_tasks", "active_connections")
        )
        if status != UNHEALTHY:
            metrics = vitals.platform_figures()
        database = HEALTHY if checks["database"] else UNHEALTHY
        components = {"platform": status, "redis": redis, "database": database}
        if status == HEALTHY and redis == UNHEALTHY:
            status = DEGRADED
        body = {
            "status": status,
            "components": components,
            "metrics": metrics,
            "timestamp": json.instant(timezone.now()),
            "version": version(),
            "uptime_seconds": vitals.uptime_s(),
        }
        return Response(body, 503 if status == UNHEALTHY else 200)


class LiveView(OpenView):
    """`/api/v1/health/live`: this process answers; it asks nobody else."""

    def get(self, request: Request) -> Response:
        """Restart the process if this does not answer."""
        body = {"status": HEALTHY, "timestamp": json.instant(timezone.now())}
        return Response({**body, "version": version(), "uptime_seconds": vitals.uptime_s()})


def measured(spec: AgentSpec | None) -> tuple[str, dict[str, Any]]:
    """The status that follows from the checks, and these; with an agent also its pulse."""
    checks: dict[str, Any] = {"database": vitals.database_answers()}
    if not checks["database"]:
        return UNHEALTHY, checks
    try:
        checks["handler_lag_s"] = vitals.handler_lag_s()
        is_behind = checks["handler_lag_s"] > vitals.LAG_ALLOWED_S
        if spec is not None:
            pulse = vitals.pulse_of(spec.agent_id)
            checks["agent_state"] = pulse.state
            checks["last_seen_at"] = json.instant(pulse.last_seen_at)
            checks["last_claim_at"] = json.instant(pulse.last_claim_at)
            is_behind |= spec.is_implemented and pulse.state not in vitals.WORKING
    except Error:
        return UNHEALTHY, {"database": False}
    return DEGRADED if is_behind else HEALTHY, checks


def version() -> str:
    """The version of the platform."""
    return str(settings.SPECTACULAR_SETTINGS["VERSION"])


platform.view("health", PlatformHealthView.as_view())
platform.view("health/live", LiveView.as_view())
platform.view("health/ready", PlatformHealthView.as_view())
