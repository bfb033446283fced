"""`explain` names the true first blocker, whatever else is wrong behind it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.models import Agent
from registry.services import agent_deregister
from tasks import services
from tasks.models import Breaker, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import claim_one, fence, make_running, make_task

pytestmark = pytest.mark.django_db
LATER = timezone.now() + timedelta(hours=1)


def explained(api, task):
    return api.get(f"/api/v1/tasks/{task.pk}/explain").json()


def trip_the_breaker(agent, task):
    Breaker.objects.create(
        agent=agent, task_class=task.task_class, window_started_at=LATER, opened_until=LATER
    )


def hold(agent, **wishes):
    """The agent holds a task of these wishes."""
    return make_running(agent, "holder", priority=10, **wishes)


# Each row stages the reason of its name and, with `more`, a later one that must not be named.
AGENTS = {
    "deregistered": {"overlay": "draining"},
    "overlay": {"overlay": "cordoned", "silent_s": 500},
    "fresh": {"silent_s": 61, "reported": "error"},
    "status": {"reported": "error", "agent_type": "monitor"},
    "type": {"agent_type": "monitor", "services": []},
    "services": {"services": [], "capabilities": []},
    "capabilities": {"capabilities": ["other"], "resources": {}},
    "capacity": {"resources": {"cpu": 1}, "max_concurrency": 1},
}


@pytest.mark.parametrize("reason", AGENTS)
def test_the_first_thing_in_the_way_of_an_agent_is_named(api, reason):
    facts = {"services": ["vision"], "capabilities": ["counting"], "resources": {"cpu": 4}}
    agent = make_agent("worker-1", **{**facts, **AGENTS[reason]})
    if reason == "deregistered":
        agent_deregister(agent, actor="test")
    task = make_task(
        agent_type="worker",
        services=["vision"],
        required_capabilities=["counting"],
        resources={"cpu": 2},
    )

    found = explained(api, task)

    assert [row["predicate"] for row in found["agents"]] == [reason]
    assert found["agents"][0]["eligible"] is False
    assert found["sentence"]


def test_a_target_that_is_not_registered_is_named(api):
    make_agent("worker-1")

    found = explained(api, make_task(agent_id="worker-9"))

    assert [(row["agent_id"], row["predicate"]) for row in found["agents"]] == [
        ("worker-9", "registered")
    ]
    assert found["feasible"] is False


def test_missing_words_are_listed(api):
    make_agent("worker-1", capabilities=["counting"])

    found = explained(api, make_task(required_capabilities=["flying", "counting", "diving"]))

    assert found["agents"][0]["sentence"] == "lacks diving, flying"
    assert found["feasible"] is False


def test_capacity_says_by_how_much_it_is_short(api):
    make_agent("worker-1", resources={"cpu": "500m", "memory": "1Ki"})

    found = explained(api, make_task(resources={"cpu": 2, "memory": "2Ki"}))

    assert found["agents"][0]["sentence"] == "its whole capacity is short by 1.5 cpu, 1024 memory"


def test_bad_health_is_named(api):
    make_agent("worker-1")

    found = explained(api, make_task(min_health=1.0, required_capabilities=["analysis"]))
    assert found["agents"][0]["eligible"] is True
    Agent.objects.update(max_concurrency=1)
    hold(Agent.objects.get())
    found = explained(api, make_task(min_health=0.95))
    assert found["agents"][0]["predicate"] == "health"


def test_an_open_breaker_is_named(api):
    agent = make_agent("worker-1", max_concurrency=1)
    hold(agent)
    task = make_task(required_capabilities=["analysis"])
    trip_the_breaker(agent, task)

    assert explained(api, task)["agents"][0]["predicate"] == "breaker"


def test_full_slots_are_named(api):
    hold(make_agent("worker-1", max_concurrency=1, resources={"cpu": 1}), resources={"cpu": 1})

    found = explained(api, make_task(resources={"cpu": 1}))

    assert found["agents"][0]["sentence"] == "all 1 slots are taken"
    assert found["feasible"] is True


def test_free_quantities_are_named(api):
    hold(make_agent("worker-1", resources={"cpu": 1}), resources={"cpu": "700m"})

    found = explained(api, make_task(resources={"cpu": "500m"}, concurrency_key="k"))

    assert found["agents"][0]["predicate"] == "quantities"
    assert found["agents"][0]["sentence"] == "its free capacity is short by 0.2 cpu"


@pytest.mark.parametrize(
    "wishes", [{"concurrency_key": "customer-7"}, {"writes": ["sku:A1:price"]}]
)
def test_a_full_key_names_the_task_that_holds_it(api, wishes):
    item = hold(make_agent("worker-1"), **wishes)

    found = explained(api, make_task(**wishes))

    assert found["agents"][0]["predicate"] == "key_limit"
    assert item.task.pk in found["agents"][0]["sentence"]


def test_a_full_capability_names_the_task_that_holds_it(api):
    services.limit_set(key="capability:analysis", limit=1, actor="alice")
    item = hold(make_agent("worker-1"), required_capabilities=["analysis"])

    found = explained(api, make_task(required_capabilities=["analysis"]))

    assert found["agents"][0]["predicate"] == "capability_limit"
    assert item.task.pk in found["agents"][0]["sentence"]


def test_who_may_take_it_waits_to_claim_or_for_its_turn(api):
    make_agent("worker-1")
    first, second = make_task(), make_task()

    before, after = explained(api, first), explained(api, second)

    assert (before["position"], before["tasks_ahead"]) == (1, 0)
    assert before["agents"][0]["sentence"] == "eligible: waits for the agent to claim"
    assert (after["position"], after["tasks_ahead"]) == (2, 1)
    assert after["agents"][0]["sentence"] == "eligible: waits for its turn behind 1 tasks"


def test_the_agent_that_is_closest_to_the_task_is_named_in_the_sentence(api):
    make_agent("far", capabilities=[])
    hold(make_agent("near", max_concurrency=1))

    found = explained(api, make_task(required_capabilities=["analysis"]))

    assert "closest is near: all 1 slots are taken" in found["sentence"]


def test_what_is_not_queued_says_what_it_waits_for(api):
    agent = make_agent("worker-1")
    running = make_running(agent)
    dependent = make_task(depends_on=[running.task.pk])
    scheduled = make_task(run_at=LATER)

    assert "Agent worker-1 works on it" in explained(api, running.task)["sentence"]
    assert running.task.pk in explained(api, dependent)["sentence"]
    assert "Scheduled for" in explained(api, scheduled)["sentence"]
    error = {"type": "E", "message": "clouds"}
    services.task_fail(running.task, **fence(running), error=error, actor="test")
    assert "after: clouds" in explained(api, running.task)["sentence"]
    Task.objects.filter(pk=running.task.pk).update(due_at=timezone.now() - timedelta(days=1))
    services.due_tasks_ready()
    item = claim_one(agent)
    services.task_wait(item.task, **fence(item), reason="input", prompt="Where?", actor="test")
    assert explained(api, running.task)["sentence"] == "Waits for input: Where?"
    services.task_cancel(running.task, reason="enough", actor="test")
    assert "It is cancelled: enough" in explained(api, running.task)["sentence"]
