"""Health is measured on every port, and answers when the database does not."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from ecommerce.agents import AGENTS
from ecommerce.registration import register_builtin_agents
from messaging.models import Event
from registry.models import Presence
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db


@contextmanager
def database_away():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("connection refused: secret-host")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize("spec", AGENTS, ids=lambda spec: spec.slug)
def test_every_agent_answers_on_its_port(stranger, spec):
    register_builtin_agents()

    response = stranger.get("/health", SERVER_PORT=str(spec.port))

    assert response.status_code == 200
    body = response.json()
    assert list(body)[:4] == ["status", "agent", "version", "timestamp"]
    assert (body["status"], body["agent"], body["version"]) == ("healthy", spec.agent_id, "3.0.0")
    assert body["uptime_seconds"] >= 0
    assert body["checks"]["database"] is True
    assert body.get("implemented", True) is spec.is_implemented


def test_the_coordinators_port_answers_as_its_reference_prints_it(stranger):
    body = stranger.get("/health", SERVER_PORT="9001").json()

    assert body["status"] == "healthy"
    assert body["service"] == "agent-coordinator"
    assert body["version"] == "1.0.0"
    assert body["message"]
    assert "agent" not in body


def test_the_platforms_port_speaks_for_both(stranger):
    register_builtin_agents()

    body = stranger.get("/health", SERVER_PORT="8000").json()

    assert (body["agent"], body["service"]) == ("order_agent_v3", "agent-coordinator")


def test_an_agent_that_fell_silent_is_degraded(stranger):
    register_builtin_agents()
    Presence.objects.update(last_seen_at=timezone.now() - timedelta(seconds=90))

    body = stranger.get("/health", SERVER_PORT="8001").json()

    assert body["status"] == "degraded"
    assert body["checks"]["agent_state"] == "stale"


def test_handlers_that_lag_behind_are_degraded(stranger):
    make_agent()
    Event.objects.update(created_at=timezone.now() - timedelta(seconds=40))

    body = stranger.get("/health", SERVER_PORT="9001").json()

    assert body["status"] == "degraded"
    assert 40 <= body["checks"]["handler_lag_s"] < 45


@pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/api/v1/health/ready"])
def test_without_the_database_it_is_503_in_the_same_shape(api, path):
    well = api.get(path).json()

    with database_away():
        response = api.get(path)

    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unhealthy"
    assert set(body) == set(well)
    assert "secret-host" not in response.content.decode()


def test_the_process_lives_without_the_database(api):
    with database_away():
        response = api.get("/api/v1/health/live")

    assert response.status_code == 200
    assert response.json()["status"] == "healthy"


def test_the_platform_answers_as_its_reference_prints_it(stranger, settings):
    settings.REDIS_URL = ""
    make_agent("a")
    make_agent("b", reported="busy")
    make_agent("c", silent_s=90)

    body = stranger.get("/api/v1/health").json()

    assert list(body)[:4] == ["status", "components", "metrics", "timestamp"]
    assert body["status"] == "healthy"
    assert body["components"] == {
        "platform": "healthy",
        "redis": "not_configured",
        "database": "healthy",
    }
    assert body["metrics"] == {"active_agents": 2, "active_tasks": 0, "active_connections": 0}


def test_a_redis_that_is_away_is_a_degradation(stranger, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    response = stranger.get("/api/v1/health")

    assert response.status_code == 200
    assert response.json()["components"]["redis"] == "unhealthy"
    assert response.json()["status"] == "degraded"


def test_a_program_at_the_door_is_given_directions(stranger):
    body = stranger.get("/").json()

    assert list(body) == [
        *("message", "service", "description", "version", "docs", "health", "endpoints"),
    ]


@pytest.mark.parametrize(
    ("port", "console"), [("80", "/admin/"), ("8001", "http://testserver:8000/admin/")]
)
def test_a_browser_at_the_door_goes_to_the_console(stranger, port, console):
    response = stranger.get("/", headers={"accept": "text/html"}, SERVER_PORT=port)

    assert response.status_code == 302
    assert response["Location"] == console
