"""`GET /health` on every port, measured."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.agents import AGENTS, BY_PACKAGE, COORDINATOR_PORT
from platform_site.common import json
from platform_site.common.api import ApiView


class HealthView(ApiView):
    """Whether this port's agent can work: the database answers."""

    access = {"get": None}

    def get(self, request: Request) -> Response:
        port = int(request.META.get("SERVER_PORT") or settings.PORT)
        spec = BY_PACKAGE.get(settings.PORT_PACKAGES.get(port, ""), AGENTS[0])
        is_well = database_answers()
        body: dict[str, Any] = {
            "status": "healthy" if is_well else "unhealthy",
            "agent": spec.agent_id,
            "version": spec.version,
            "timestamp": json.instant(timezone.now()),
            "checks": {"database": is_well},
        }
        if not spec.is_implemented:
            body["implemented"] = False
        if port in (COORDINATOR_PORT, settings.PORT):
            body["service"] = "agent-coordinator"
        return Response(body, 200 if is_well else 503)


def database_answers() -> bool:
    """Whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
