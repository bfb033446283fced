"""Nobody acts as somebody else (proof S8 for agents)."""

import threading

import pytest
from django.db import connections
from rest_framework.test import APIClient

from messaging.models import Event
from platform_site.common.keys import key_issue
from platform_site.common.models import ApiKey
from registry.models import Agent, Presence
from registry.services import agent_register
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db

ACTS = [
    ("post", "/agents/register", {"agent_id": "b", "agent_type": "worker", "capabilities": ["x"]}),
    ("post", "/api/v1/agents", {"agent_id": "b", "name": "taken", "capabilities": ["x"]}),
    ("post", "/api/v1/agents/b/heartbeat", {"status": "error"}),
    ("post", "/agents/b/heartbeat", {"status": "error"}),
    ("put", "/agents/b/status", {"status": "error"}),
]
LEAVES = [("delete", "/agents/b"), ("post", "/agents/b/deregister"), ("delete", "/api/v1/agents/b")]


def rows():
    agents = Agent.objects.order_by("pk").values("agent_id", "name", "capabilities", "version")
    presences = Presence.objects.order_by("pk").values("last_seen_at", "reported_status")
    return list(agents), list(presences)


@pytest.fixture
def owner_of_b():
    """b's client: the agent asked for a key when it registered."""
    make_agent("b")
    _, secret = key_issue(name="b", agent_id="b", actor="alice")
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=secret)
    client.default_format = "json"
    return client


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
@pytest.mark.parametrize("caller", ["a", "api_user", "operator", "admin"])
def test_an_id_that_owns_a_key_needs_that_key(client_as, owner_of_b, caller, method, path, body):
    client = client_as("agent", agent_id="a") if caller == "a" else client_as(caller)
    before = rows()

    response = getattr(client, method)(path, body)

    assert response.status_code == 403
    assert rows() == before
    denied = Event.objects.get(type="security.denied")
    assert denied.data["agent_id"] == "b"
    assert getattr(owner_of_b, method)(path, body).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_open_mode_does_not_open_an_owned_id(owner_of_b, settings, method, path, body):
    settings.OPEN_API = True
    before = rows()

    response = getattr(APIClient(), method)(
        path, body, format="json", headers={"host": "localhost"}
    )

    assert response.status_code == 403
    assert rows() == before


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
@pytest.mark.parametrize("role", ["readonly", "user"])
def test_roles_that_may_not_act_as_agents_are_refused(client_as, role, method, path, body):
    make_agent("b")
    before = rows()

    assert getattr(client_as(role), method)(path, body).status_code == 403
    assert rows() == before


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_key_of_one_agent_acts_for_no_other_even_without_a_key(client_as, method, path, body):
    make_agent("b")
    before = rows()

    assert getattr(client_as("agent", agent_id="a"), method)(path, body).status_code == 403
    assert rows() == before


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_keyless_agents_are_shared(client_as, method, path, body):
    make_agent("b")

    assert getattr(client_as("api_user"), method)(path, body).status_code == 200


@pytest.mark.parametrize(("method", "path"), LEAVES)
def test_only_operators_and_the_agent_itself_end_an_owned_agent(
    client_as, owner_of_b, method, path
):
    for stranger in (client_as("api_user"), client_as("agent", agent_id="a")):
        assert getattr(stranger, method)(path).status_code == 403
    assert Agent.objects.filter(deregistered_at=None).count() == 1

    assert getattr(owner_of_b, method)(path).status_code == 200
    agent_register(agent_id="b", agent_type="worker", actor="test")
    assert getattr(client_as("operator"), method)(path).status_code == 200


def test_nobody_acts_as_one_of_our_own_agents(client_as):
    body = {"agent_id": "order_agent_v3", "agent_type": "worker"}

    for role in ("api_user", "operator", "admin"):
        assert client_as(role).post("/agents/register", body).status_code == 403

    assert not Agent.objects.exists()
    agent_register(agent_id="order_agent_v3", agent_type="specialist", actor="system")
    api = client_as("operator")
    assert api.post("/agents/order_agent_v3/heartbeat").status_code == 403
    assert api.delete("/api/v1/agents/order_agent_v3").status_code == 403
    assert api.post("/api/v1/agents/order_agent_v3/key").status_code == 403
    body = {"overlay": "draining", "reason": "upgrade"}
    assert api.post("/api/v1/agents/order_agent_v3/overlay", body).status_code == 200


def test_an_agent_that_asks_gets_a_key_once_and_owns_its_id_from_then_on(client_as):
    client = client_as("api_user")
    body = {"agent_id": "w", "agent_type": "worker", "issue_key": True}

    answer = client.post("/agents/register", body, HTTP_IDEMPOTENCY_KEY="k").json()

    assert answer["api_key"].startswith("fd_")
    assert client.post("/agents/register", body, HTTP_IDEMPOTENCY_KEY="k").status_code == 403
    own = APIClient()
    own.credentials(HTTP_X_API_KEY=answer["api_key"])
    assert own.post("/agents/w/heartbeat").status_code == 200
    assert client.post("/agents/w/heartbeat").status_code == 403
    assert ApiKey.objects.filter(agent_id="w").count() == 1


def test_open_mode_issues_no_keys(settings, db):
    settings.OPEN_API = True
    body = {"agent_id": "w", "agent_type": "worker", "issue_key": True}

    response = APIClient().post(
        "/agents/register", body, format="json", headers={"host": "localhost"}
    )

    assert response.status_code == 403
    assert not Agent.objects.exists()
    assert not ApiKey.objects.exists()


def test_nobody_gets_a_key_unasked(api):
    answer = api.post("/agents/register", {"agent_id": "w", "agent_type": "worker"}).json()

    assert "api_key" not in answer
    assert not ApiKey.objects.filter(agent_id="w").exists()


def test_an_operator_issues_a_key_which_revokes_the_one_before(api):
    make_agent("w")
    first = api.post("/api/v1/agents/w/key").json()["api_key"]

    second = api.post("/api/v1/agents/w/key").json()["api_key"]

    def beat(secret):
        return APIClient().post("/agents/w/heartbeat", HTTP_X_API_KEY=secret).status_code

    assert (beat(first), beat(second)) == (401, 200)


@pytest.mark.parametrize("role", ["readonly", "user", "api_user"])
def test_only_operators_issue_keys_of_agents(client_as, role):
    make_agent("w")

    assert client_as(role).post("/api/v1/agents/w/key").status_code == 403
    assert not ApiKey.objects.filter(agent_id="w").exists()


def test_an_enrolment_key_registers_what_its_pattern_names_and_nothing_else(db):
    _, secret = key_issue(
        name="fleet", scopes=["agent:register"], agent_pattern="worker-*", actor="alice"
    )
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=secret)
    client.default_format = "json"

    def register(agent_id):
        body = {"agent_id": agent_id, "agent_type": "worker"}
        return client.post("/agents/register", body).status_code

    assert register("worker-7") == 200
    assert register("boss") == 403
    assert client.post("/agents/worker-7/heartbeat").status_code == 403
    assert client.get("/agents").status_code == 403
    assert Agent.objects.get().agent_id == "worker-7"


def test_overlays_and_changes_are_for_operators(client_as):
    make_agent("w")
    body = {"overlay": "disabled", "reason": "x", "weight": 9}

    for role in ("readonly", "user", "api_user"):
        client = client_as(role)
        assert client.post("/api/v1/agents/w/overlay", body).status_code == 403
        assert client.patch("/api/v1/agents/w", body).status_code == 403

    agent = Agent.objects.get()
    assert (agent.overlay, agent.weight) == ("", 1.0)


def test_without_a_credential_nothing_is_shown(stranger):
    for path in ("/agents", "/agents/x", "/api/v1/agents", "/registry/stats", "/api/agents"):
        assert stranger.get(path).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_twenty_registrations_of_one_id_at_once_are_one_agent(api):
    answers = []

    def register(number):
        body = {"agent_id": "hermes", "agent_type": "worker", "capabilities": [f"c-{number}"]}
        answers.append(api.post("/agents/register", body).status_code)
        connections.close_all()

    threads = [threading.Thread(target=register, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 20
    agent = Agent.objects.get()
    assert [trait.word for trait in agent.traits.all()] == agent.capabilities
    assert Event.objects.filter(type="agent.registered").count() == 20
