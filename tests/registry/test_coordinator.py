"""The Coordinator API's agents, by the examples of its reference."""

from urllib.parse import quote

import pytest

from messaging.models import Event
from registry.models import Agent, AgentTrait
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db

EXAMPLE = {
    "agent_id": "hermes-agent",
    "agent_type": "worker",
    "capabilities": ["data-processing", "analysis"],
    "services": ["task-execution"],
    "endpoints": {"http": "http://localhost:9002"},
    "metadata": {"version": "1.0.0"},
}


def ids(response):
    return [agent["agent_id"] for agent in response.json()["agents"]]


def test_an_agent_registers_as_the_reference_prints_it(api):
    response = api.post("/agents/register", EXAMPLE)

    assert response.status_code == 200
    answer = response.json()
    assert answer["status"] == "success"
    assert answer["message"] == "Agent hermes-agent registered successfully"
    assert answer["agent_id"] == "hermes-agent"
    assert answer["registered_at"].endswith("+00:00")
    event = Event.objects.get(type="agent.registered")
    assert event.entity_id == "hermes-agent"
    assert event.data["again"] is False


def test_an_agent_is_shown_with_the_keys_of_the_reference(api):
    api.post("/agents/register", EXAMPLE)

    agent = api.get("/agents/hermes-agent").json()["agent"]

    assert list(agent)[:13] == [
        *("agent_id", "agent_type", "status", "capabilities", "services", "endpoints", "metadata"),
        *("last_heartbeat", "registration_time", "load_metrics", "health_score", "version", "tags"),
    ]
    assert agent["status"] == "active"
    assert agent["endpoints"] == {"http": "http://localhost:9002"}
    assert agent["health_score"] == 1.0
    assert agent["chain_id"] is None
    assert agent["island_id"] is None
    assert set(agent["health_parts"]) == {"freshness", "checks", "success", "latency", "headroom"}


def test_the_same_routes_answer_under_v1(api):
    api.post("/v1/agents/register", EXAMPLE)

    assert api.get("/v1/agents/hermes-agent/").json()["agent"]["agent_id"] == "hermes-agent"


def test_registering_again_replaces_the_sets_and_keeps_the_history(api):
    first = api.post("/agents/register", {**EXAMPLE, "tags": ["gpu"], "max_concurrency": 3}).json()

    second = api.post(
        "/agents/register",
        {"agent_id": "hermes-agent", "agent_type": "worker", "capabilities": ["translation"]},
    ).json()

    assert second["registered_at"] == first["registered_at"]
    agent = api.get("/agents/hermes-agent").json()["agent"]
    assert agent["capabilities"] == ["translation"]
    assert agent["services"] == []
    assert agent["endpoints"] == {}
    assert agent["metadata"] == {}
    assert agent["tags"] == ["gpu"]
    assert agent["max_concurrency"] == 3
    assert agent["incarnation"] == 1
    words = AgentTrait.objects.values_list("kind", "word").order_by("kind")
    assert list(words) == [("capability", "translation"), ("tag", "gpu")]
    assert Event.objects.filter(type="agent.registered").count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agent_id": ""}, "agent_id"),
        ({"agent_id": " hermes"}, "agent_id"),
        ({"agent_id": "a/b"}, "agent_id"),
        ({"agent_id": "a\nb"}, "agent_id"),
        ({"agent_id": "register"}, "agent_id"),
        ({"agent_id": "x" * 201}, "agent_id"),
        ({"agent_type": "wizard"}, "agent_type"),
        ({"agent_type": ""}, "agent_type"),
        ({"capabilities": "analysis"}, "capabilities"),
        ({"capabilities": ["system.render"]}, "capabilities"),
        ({"endpoints": ["http://localhost"]}, "endpoints"),
        ({"ttl_s": 4}, "ttl_s"),
        ({"status": "sleepy"}, "status"),
    ],
)
def test_a_registration_that_does_not_fit_is_refused_and_nothing_is_stored(api, change, field):
    response = api.post("/agents/register", {**EXAMPLE, **change})

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert not Agent.objects.exists()
    assert not Event.objects.filter(type__startswith="agent.").exists()


def test_missing_keys_are_named(api):
    response = api.post("/agents/register", {"agent_id": "hermes-agent"})

    assert response.status_code == 422
    assert response.json()["detail"] == "agent_type: This field is required."


def test_a_get_of_register_is_no_agent(api):
    assert api.get("/agents/register").status_code == 405


@pytest.mark.parametrize("agent_id", ["worker.eu:1", "night shift", "агент-7", "a%b", "100%25"])
def test_ids_may_hold_what_a_person_types(api, agent_id):
    api.post("/agents/register", {**EXAMPLE, "agent_id": agent_id})

    response = api.get(f"/agents/{quote(agent_id, safe='')}")

    assert response.json()["agent"]["agent_id"] == agent_id


def test_an_endpoint_in_the_singular_and_an_empty_island_are_read(api):
    body = {"agent_id": "b-1", "agent_type": "generic", "island_id": None, "chain_id": "c9"}

    answer = api.post("/agents/register", {**body, "endpoint": "http://localhost:7"}).json()

    assert answer["agent_id"] == "b-1"
    agent = api.get("/agents/b-1").json()["agent"]
    assert agent["endpoints"] == {"http": "http://localhost:7"}
    assert (agent["chain_id"], agent["island_id"]) == ("c9", None)


def test_discovery_answers_as_the_reference_prints_it(api):
    make_agent("w-1")
    make_agent("m-1", agent_type="monitor")

    response = api.post("/agents/discover", {"status": "active", "agent_type": "worker"})

    assert ids(response) == ["w-1"]
    answer = response.json()
    assert list(answer) == ["status", "query", "agents", "count", "timestamp"]
    assert answer["query"] == {"agent_type": "worker", "status": "active"}
    assert answer["count"] == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["a", "b", "c"]),
        ({"capabilities": ["ocr"]}, ["a", "b"]),
        ({"capabilities": ["ocr", "nlp"]}, ["b"]),
        ({"services": ["store"]}, ["a", "c"]),
        ({"services": ["store"], "capabilities": ["ocr"]}, ["a"]),
        ({"tags": ["eu"]}, ["c"]),
        ({"agent_id": "b"}, ["b"]),
        ({"chain_id": "c1"}, ["c"]),
        ({"query": {"agent_id": "b"}}, ["b"]),
        ({"status": "stale"}, ["c"]),
        ({"status": "stale", "min_health_score": 0.99}, []),
        ({"min_health_score": 0.99}, ["a", "b"]),
        ({"limit": 2}, ["a", "b"]),
        ({"status": "bogus"}, []),
        ({"agent_type": "wizard"}, []),
        ({"capabilities": ["nowhere"]}, []),
        ({"status": None, "capabilities": []}, ["a", "b", "c"]),
    ],
)
def test_discovery_filters(api, query, found):
    make_agent("a", capabilities=["ocr"], services=["store"])
    make_agent("b", capabilities=["ocr", "nlp"])
    make_agent("c", services=["store"], tags=["eu"], chain_id="c1", silent_s=90, capabilities=[])

    assert ids(api.post("/agents/discover", query)) == found


def test_the_healthiest_come_first(api):
    make_agent("tired", silent_s=150)
    make_agent("fresh")

    response = api.get("/agents")

    assert ids(response) == ["fresh", "tired"]
    scores = [agent["health_score"] for agent in response.json()["agents"]]
    assert scores == [1.0, pytest.approx(0.775, abs=0.002)]


def test_a_list_takes_the_filters_of_discovery_and_pages(api):
    for number in range(3):
        make_agent(f"w-{number}", capabilities=["ocr", "nlp"])
    make_agent("other")

    response = api.get("/agents?capabilities=ocr,nlp&agent_type=worker&limit=2&offset=1")

    assert ids(response) == ["w-1", "w-2"]
    assert response.json()["total"] == 3
    assert response["X-Total-Count"] == "3"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(api, limit):
    assert api.post("/agents/discover", {"limit": limit}).status_code == 422
    assert api.get(f"/agents?limit={limit}").status_code == 422


def test_agents_are_found_by_service_and_by_capability(api):
    make_agent("a", capabilities=["ocr.v2: fast"], services=["store"])
    make_agent("b", capabilities=[])

    by_service = api.get("/agents/service/store").json()
    by_capability = api.get("/agents/capability/ocr.v2%3A%20fast").json()

    assert [agent["agent_id"] for agent in by_service["agents"]] == ["a"]
    assert by_service["service"] == "store"
    assert [agent["agent_id"] for agent in by_capability["agents"]] == ["a"]
    assert by_capability["count"] == 1


def test_a_status_is_updated_as_the_reference_prints_it(api):
    make_agent()
    body = {"status": "busy", "load_metrics": {"active_connections": 5, "pending_tasks": 2}}

    response = api.put("/agents/hermes-agent/status", body)

    answer = response.json()
    assert answer["message"] == "Agent hermes-agent status updated"
    assert answer["new_status"] == "busy"
    agent = api.get("/agents/hermes-agent").json()["agent"]
    assert agent["status"] == "busy"
    assert agent["load_metrics"] == {"active_connections": 5, "pending_tasks": 2}


def test_load_metrics_are_merged(api):
    make_agent()
    api.put("/agents/hermes-agent/status", {"status": "active", "load_metrics": {"cpu_usage": 0.5}})

    api.post("/agents/hermes-agent/heartbeat", {"load_metrics": {"pending_tasks": 2}})

    agent = api.get("/agents/hermes-agent").json()["agent"]
    assert agent["load_metrics"] == {"cpu_usage": 0.5, "pending_tasks": 2}


@pytest.mark.parametrize("word", ["sleepy", "", 7])
def test_an_unknown_status_word_is_refused_and_changes_nothing(api, word):
    make_agent()

    assert api.put("/agents/hermes-agent/status", {"status": word}).status_code == 422
    assert api.get("/agents/hermes-agent").json()["agent"]["status"] == "active"


def test_load_metrics_are_numbers(api):
    make_agent()

    body = {"status": "busy", "load_metrics": {"cpu_usage": "high"}}
    response = api.put("/agents/hermes-agent/status", body)

    assert response.status_code == 422
    assert api.get("/agents/hermes-agent").json()["agent"]["status"] == "active"


def test_a_heartbeat_without_a_body_is_enough(api):
    make_agent(silent_s=500)

    response = api.post("/agents/hermes-agent/heartbeat")

    assert response.json()["message"] == "Heartbeat received from hermes-agent"
    assert api.get("/agents/hermes-agent").json()["agent"]["status"] == "active"
    assert list(Event.objects.values_list("type", flat=True)).count("agent.registered") == 1
    assert Event.objects.filter(type__startswith="agent.").count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/agents/nobody"),
        ("put", "/agents/nobody/status"),
        ("post", "/agents/nobody/heartbeat"),
        ("post", "/agents/nobody/deregister"),
        ("delete", "/agents/nobody"),
    ],
)
def test_an_unknown_agent_is_404_in_the_words_of_the_reference(api, method, path):
    response = getattr(api, method)(path, {"status": "busy"})

    assert response.status_code == 404
    body = response.json()
    assert body["detail"] == body["message"] == "Agent not found"
    assert body["status"] == "error"
    assert "timestamp" in body


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/agents/w/deregister"), ("delete", "/agents/w")]
)
def test_a_deregistered_agent_is_gone_until_it_registers_again(api, method, path):
    make_agent("w")

    answer = getattr(api, method)(path).json()

    assert answer["agent_id"] == "w"
    assert answer["status"] == "success"
    assert api.get("/agents/w").status_code == 404
    assert ids(api.get("/agents")) == []
    assert getattr(api, method)(path).status_code == 404
    assert Event.objects.filter(type="agent.deregistered").count() == 1

    api.post("/agents/register", {"agent_id": "w", "agent_type": "worker"})

    assert ids(api.get("/agents")) == ["w"]
    assert Agent.objects.count() == 1


def test_the_registry_counts_by_query(api):
    make_agent("a", capabilities=["ocr", "nlp"], services=["store"])
    make_agent("b", capabilities=["ocr"], agent_type="monitor", silent_s=90)

    stats = api.get("/registry/stats").json()["stats"]

    assert stats == {
        "total_agents": 2,
        "status_counts": {"active": 1, "stale": 1},
        "type_counts": {"monitor": 1, "worker": 1},
        "service_count": 1,
        "capability_count": 2,
        "last_cleanup": None,
    }


def test_the_coordinator_has_its_own_port(api):
    make_agent()

    assert ids(api.get("/agents", SERVER_PORT="9001")) == ["hermes-agent"]
    for accepted in ("application/json", "text/html"):
        refused = api.get("/api/v1/agents", SERVER_PORT="9001", headers={"Accept": accepted})
        assert refused.status_code == 404
        assert refused.json()["message"] == "Not Found"
