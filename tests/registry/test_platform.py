"""The Platform API's agents, by the examples of its reference."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import Event
from registry.models import Agent, AgentTrait, Presence
from registry.services import watch
from tasks.models import Attempt, Lease
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db

EXAMPLE = {
    "name": "data_processor_agent",
    "capabilities": ["data_processing", "ml_inference"],
    "resources": {"cpu": 2, "memory": "1Gi"},
    "metadata": {"version": "1.0", "team": "ai"},
}


def ids(response):
    return [agent["id"] for agent in response.json()]


def test_an_agent_registers_as_the_reference_prints_it(api):
    response = api.post("/api/v1/agents", EXAMPLE)

    assert response.status_code == 200
    agent = response.json()
    assert len(agent["id"]) == 36
    assert agent["name"] == "data_processor_agent"
    assert agent["resources"] == {"cpu": 2, "memory": "1Gi"}
    assert agent["status"] == "active"
    assert agent["version"] == "1.0"
    assert list(agent)[:8] == [
        *("id", "name", "capabilities", "resources", "metadata", "status", "created_at"),
        "last_heartbeat",
    ]


def test_two_agents_may_have_the_same_name(api):
    first, second = (api.post("/api/v1/agents", EXAMPLE).json()["id"] for _ in range(2))

    assert first != second
    assert Agent.objects.count() == 2


def test_the_same_key_registers_once(api):
    answers = [
        api.post("/api/v1/agents", EXAMPLE, HTTP_IDEMPOTENCY_KEY="k-1").json()["id"]
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert Agent.objects.count() == 1


@pytest.mark.parametrize("missing", ["name", "capabilities"])
def test_what_the_reference_requires_is_required(api, missing):
    body = {key: value for key, value in EXAMPLE.items() if key != missing}

    response = api.post("/api/v1/agents", body)

    assert response.status_code == 422
    assert response.json()["detail"] == f"{missing}: This field is required."
    assert not Agent.objects.exists()


def test_the_list_is_bare_oldest_first_and_takes_the_filters(api):
    make_agent("old", capabilities=["data_processing"])
    make_agent("new", capabilities=["data_processing"], agent_type="monitor")
    make_agent("stale", silent_s=90)

    everything = api.get("/api/v1/agents")

    assert ids(everything) == ["old", "new", "stale"]
    assert everything["X-Total-Count"] == "3"
    query = "status_filter=active&capability_filter=data_processing"
    assert ids(api.get(f"/api/v1/agents?{query}")) == ["old", "new"]
    assert ids(api.get("/api/v1/agents?type_filter=monitor")) == ["new"]
    assert ids(api.get("/api/v1/agents?status_filter=bogus")) == []
    page = api.get("/api/v1/agents?limit=1&offset=1")
    assert ids(page) == ["new"]
    assert 'rel="next"' in page["Link"]


def test_a_list_costs_the_same_queries_for_two_agents_as_for_twenty(api, django_assert_num_queries):
    make_agent("a")
    make_agent("b")
    api.get("/api/v1/agents")  # the first call notes that the key is used
    with django_assert_num_queries(4):  # key, its role, count, page
        api.get("/api/v1/agents")

    for number in range(18):
        make_agent(f"w-{number}")

    with django_assert_num_queries(4):
        api.get("/api/v1/agents")


def test_two_thousand_agents_are_searched_in_one_query(api, django_assert_num_queries):
    agents = Agent.objects.bulk_create(
        Agent(agent_id=f"w-{number}", name="w", agent_type="worker") for number in range(2000)
    )
    Presence.objects.bulk_create(
        Presence(agent=agent, last_seen_at=timezone.now()) for agent in agents
    )
    AgentTrait.objects.bulk_create(
        AgentTrait(agent=agent, kind="capability", word=f"c-{number % 100}")
        for number, agent in enumerate(agents)
    )
    query = {"status": "active", "capabilities": ["c-7"], "limit": 10}
    api.post("/agents/discover", query)

    with django_assert_num_queries(3):  # key, its role, the agents
        found = api.post("/agents/discover", query).json()

    assert found["count"] == 10
    assert found["agents"][0]["agent_id"] == "w-7"


def test_an_operator_changes_what_operators_may(api):
    make_agent(capabilities=["analysis"])

    body = {"name": "Hermes", "weight": 2, "ttl_s": 120, "tags": ["eu"], "status": "error"}
    agent = api.patch("/api/v1/agents/hermes-agent", body).json()

    assert (agent["name"], agent["weight"], agent["ttl_s"]) == ("Hermes", 2.0, 120)
    assert agent["tags"] == ["eu"]
    assert agent["capabilities"] == ["analysis"]
    assert agent["status"] == "active"
    event = Event.objects.get(type="agent.changed")
    assert event.data["fields"] == ["name", "tags", "ttl_s", "weight"]


def test_an_agent_is_deregistered_in_the_words_of_the_reference(api):
    make_agent()

    response = api.delete("/api/v1/agents/hermes-agent")

    assert response.json() == {"message": "Agent deregistered successfully"}
    assert api.get("/api/v1/agents/hermes-agent").status_code == 404
    assert api.get("/api/v1/agents/hermes-agent").json()["detail"] == "Agent not found"


def test_a_heartbeat_says_how_the_agent_stands(api):
    make_agent(silent_s=90, reported="inactive")

    beat = api.post("/api/v1/agents/hermes-agent/heartbeat", {}).json()

    assert beat["agent_id"] == "hermes-agent"
    assert beat["status"] == "active"
    assert beat["ttl_s"] == 60
    assert beat["drain"] is False


@pytest.mark.parametrize("word", ["busy", "maintenance", "error", "degraded"])
def test_a_heartbeat_does_not_wake_an_agent_that_asked_for_rest(api, word):
    make_agent(reported=word)

    assert api.post("/api/v1/agents/hermes-agent/heartbeat", {}).json()["status"] == word


def test_an_older_process_is_superseded(api):
    api.post("/api/v1/agents", {**EXAMPLE, "agent_id": "w", "instance_id": "first"})
    again = {**EXAMPLE, "agent_id": "w", "instance_id": "second"}
    assert api.post("/api/v1/agents", again).json()["incarnation"] == 2

    response = api.post("/api/v1/agents/w/heartbeat", {"incarnation": 1})

    assert response.status_code == 409
    assert response.json()["code"] == "superseded"
    assert response.json()["incarnation"] == 2
    assert api.post("/api/v1/agents/w/heartbeat", {"incarnation": 2}).status_code == 200
    assert api.post("/api/v1/agents", again).json()["incarnation"] == 2
    clash = Event.objects.get(type="agent.clash")
    assert clash.data["incarnation"] == 2


def test_a_restart_after_a_silence_is_no_clash(api):
    make_agent("w", instance_id="first", silent_s=61)

    agent = api.post("/api/v1/agents", {**EXAMPLE, "agent_id": "w", "instance_id": "second"}).json()

    assert agent["incarnation"] == 2
    assert not Event.objects.filter(type="agent.clash").exists()


def test_an_overlay_shows_who_set_it_and_lifting_it_restores_the_truth(api):
    make_agent(reported="busy")

    body = {"overlay": "disabled", "reason": "wrong model"}
    disabled = api.post("/api/v1/agents/hermes-agent/overlay", body).json()

    assert disabled["status"] == "inactive"
    assert disabled["overlay"] == "disabled"
    assert disabled["overlay_reason"] == "wrong model"
    assert disabled["overlay_set_by"] == "a-operator"
    lifted = api.post("/api/v1/agents/hermes-agent/overlay", {"overlay": None, "reason": "fixed"})
    assert lifted.json()["status"] == "busy"
    assert lifted.json()["overlay"] is None
    changes = Event.objects.filter(type="agent.overlay_changed").order_by("pk")
    assert [event.data["overlay"] for event in changes] == ["disabled", ""]


@pytest.mark.parametrize("overlay", ["draining", "cordoned"])
def test_draining_and_cordoned_leave_the_status_alone(api, overlay):
    make_agent()

    body = {"overlay": overlay, "reason": "upgrade"}
    agent = api.post("/api/v1/agents/hermes-agent/overlay", body).json()

    assert (agent["status"], agent["overlay"]) == ("active", overlay)
    beat = api.post("/api/v1/agents/hermes-agent/heartbeat", {}).json()
    assert beat["drain"] is (overlay == "draining")


def test_a_drained_agent_is_noticed_once(api):
    make_agent()
    body = {"overlay": "draining", "reason": "upgrade"}
    api.post("/api/v1/agents/hermes-agent/overlay", body)

    watch()
    watch()

    assert Event.objects.get(type="agent.drained").entity_id == "hermes-agent"


@pytest.mark.parametrize(
    "body",
    [
        {"overlay": "draining"},
        {"overlay": "asleep", "reason": "x"},
        {"overlay": "maintenance", "reason": "no end"},
        {"overlay": "draining", "reason": "x", "until": "2999-01-01T00:00:00Z"},
        {"overlay": "maintenance", "reason": "x", "until": "2001-01-01T00:00:00Z"},
    ],
)
def test_an_overlay_that_does_not_fit_is_refused(api, body):
    make_agent()

    assert api.post("/api/v1/agents/hermes-agent/overlay", body).status_code == 422
    assert api.get("/api/v1/agents/hermes-agent").json()["overlay"] is None
    assert not Event.objects.filter(type="agent.overlay_changed").exists()


def test_maintenance_ends_by_itself(api):
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    make_agent()
    body = {"overlay": "maintenance", "reason": "disk", "until": until}
    assert api.post("/api/v1/agents/hermes-agent/overlay", body).json()["status"] == "maintenance"

    Agent.objects.update(overlay_until=timezone.now() - timedelta(seconds=1))

    assert api.get("/api/v1/agents/hermes-agent").json()["status"] == "active"


def test_the_watch_tells_each_change_once(api):
    make_agent("w", silent_s=90)

    assert watch() == 1
    assert watch() == 0

    event = Event.objects.get(type="agent.status_changed")
    assert event.data == {"agent_id": "w", "status": "stale", "previous": "active"}
    api.post("/api/v1/agents/w/heartbeat", {})
    watch()
    last = Event.objects.filter(type="agent.status_changed").order_by("-pk").first()
    assert last.data == {"agent_id": "w", "status": "active", "previous": "stale"}


def test_four_facts_stand_beside_the_one_word(api):
    make_agent("w", silent_s=90)

    facts = api.get("/api/v1/agents/w").json()["facts"]

    assert facts == {
        "registered": True,
        "reachable": False,
        "polling": False,
        "has_headroom": True,
    }


@pytest.fixture
def working(api):
    """An agent with one slot that works on one task; answers the task's id."""
    make_agent("w", capabilities=["ocr"], max_concurrency=1)
    body = {"title": "Read", "description": "a page", "required_capabilities": ["ocr"]}
    task = api.post("/api/v1/tasks", body).json()
    claimed = api.post("/api/v1/agents/w/claim", {"max": 1, "wait_s": 0}).json()["tasks"]
    assert [one["id"] for one in claimed] == [task["id"]]
    return task["id"]


def test_an_agent_without_a_free_slot_is_busy(api, working):
    agent = api.get("/api/v1/agents/w").json()

    assert (agent["status"], agent["in_flight"]) == ("busy", 1)
    assert agent["facts"]["has_headroom"] is False
    assert agent["health_parts"]["headroom"] == 0.0
    assert agent["health_score"] == 0.9


@pytest.mark.parametrize("ending", ["deregister", "disable"])
def test_the_work_of_an_agent_that_leaves_returns_to_the_queue(api, working, ending):
    if ending == "deregister":
        api.delete("/api/v1/agents/w")
    else:
        body = {"overlay": "disabled", "reason": "wrong model"}
        assert api.post("/api/v1/agents/w/overlay", body).json()["in_flight"] == 0

    assert api.get(f"/api/v1/tasks/{working}").json()["status"] == "pending"
    make_agent("other", capabilities=["ocr"])
    taken = api.post("/api/v1/agents/other/claim", {"max": 1, "wait_s": 0}).json()["tasks"]
    assert [task["id"] for task in taken] == [working]


def test_a_draining_agent_is_drained_when_its_last_task_ends(api, working):
    api.post("/api/v1/agents/w/overlay", {"overlay": "draining", "reason": "upgrade"})
    watch()
    assert not Event.objects.filter(type="agent.drained").exists()

    Lease.objects.update(ended_at=timezone.now(), outcome=Lease.Outcome.COMPLETED)
    watch()

    assert Event.objects.get(type="agent.drained").entity_id == "w"


def test_how_attempts_went_shows_in_the_health_score(api, working):
    now = timezone.now()
    Attempt.objects.update(outcome="failed", started_at=now - timedelta(seconds=2), ended_at=now)
    Lease.objects.update(ended_at=now, outcome=Lease.Outcome.FAILED)

    watch()

    agent = api.get("/api/v1/agents/w").json()
    assert agent["health_parts"]["success"] == 0.0
    assert agent["health_score"] == 0.7


def test_ids_of_agents_do_not_swallow_the_routes_of_their_work(api):
    make_agent("claim")

    response = api.post("/api/v1/agents/claim/claim", {"max": 1, "wait_s": 0})

    assert response.status_code == 204
    assert api.get("/api/v1/agents/claim").json()["id"] == "claim"


def test_a_claim_is_a_sign_of_life_and_counts_as_polling(api):
    make_agent("w", silent_s=500)

    api.post("/api/v1/agents/w/claim", {"max": 1, "wait_s": 0})

    agent = api.get("/api/v1/agents/w").json()
    assert agent["status"] == "active"
    assert agent["facts"]["polling"] is True
    assert agent["facts"]["reachable"] is True
