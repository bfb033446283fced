"""Who gets which task, in which order, and what bounds it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import Event
from platform_site.common.errors import Missing
from registry.models import Agent
from registry.services import agent_deregister, agent_overlay_set
from tasks import registry_ports, services
from tasks.models import Breaker, Lease, LimitHold, OrphanResult, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import claim_one, fence, make_running, make_task

pytestmark = pytest.mark.django_db
Status = Task.Status
PAST = timezone.now() - timedelta(days=1)


@pytest.fixture
def agent():
    return make_agent("worker-1", capabilities=["counting"])


def claim(api, agent_id="worker-1", **body):
    return api.post(f"/api/v1/agents/{agent_id}/claim", {"max": 50, "wait_s": 0, **body})


def titles(response):
    return [row["title"] for row in response.json()["tasks"]]


def lose(item):
    Lease.objects.filter(pk=item.lease_id).update(expires_at=PAST)
    assert services.leases_reap() == 1


def test_the_best_rank_comes_first(api, agent):
    for title, wishes in (
        ("low", {"priority": 1}),
        ("urgent", {"priority": 10}),
        ("normal", {"priority": 5}),
        ("first of all", {"priority": 10, "preempt": True}),
    ):
        make_task(title, **wishes)

    assert titles(claim(api)) == ["first of all", "urgent", "normal", "low"]


def test_an_empty_queue_and_a_full_agent_are_told_apart(api):
    make_agent("worker-1", max_concurrency=1)

    nothing = claim(api)
    make_task(), make_task()
    one = claim(api)
    full = claim(api)

    assert (nothing.status_code, nothing.headers["X-Claim-Reason"]) == (204, "no_task")
    assert len(one.json()["tasks"]) == 1
    assert (full.status_code, full.headers["X-Claim-Reason"]) == (204, "no_headroom")
    assert Lease.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("overlay", ["draining", "cordoned", "disabled"])
def test_an_overlay_withholds_work_and_says_so(api, agent, overlay):
    make_task()
    agent_overlay_set(agent, overlay=overlay, reason="upgrade", actor="alice")

    response = claim(api)

    assert (response.status_code, response.headers["X-Claim-Reason"]) == (204, overlay)
    assert Task.objects.get().status == Status.PENDING


@pytest.mark.parametrize("word", ["error", "maintenance"])
def test_an_agent_that_says_it_cannot_work_gets_none(api, word):
    make_agent("worker-1", reported=word)
    make_task()

    assert claim(api).headers["X-Claim-Reason"] == word


def test_an_older_process_start_is_superseded(api):
    make_agent("worker-1", instance_id="a")
    make_agent("worker-1", instance_id="b")
    make_task()

    response = claim(api, incarnation=1)

    assert (response.status_code, response.json()["code"]) == (409, "superseded")
    assert len(claim(api, incarnation=2).json()["tasks"]) == 1


def test_an_unknown_agent_claims_nothing(api):
    assert claim(api, "nobody").status_code == 404
    assert claim(api, "nobody", max=51).status_code == 404


def test_no_claim_takes_more_than_fifty(api, agent):
    assert claim(api, max=51).status_code == 422
    assert claim(api, max=0).status_code == 422


def test_an_agent_with_a_key_of_its_own_claims_with_that_key_only(api, client_as, agent):
    make_task()
    own = client_as("agent", agent_id="worker-1")

    refused = claim(api)
    taken = claim(own).json()["tasks"]
    other = client_as("agent", agent_id="worker-2").post(
        f"/api/v1/tasks/{taken[0]['id']}/complete",
        {"lease_id": taken[0]["lease_id"], "lease_epoch": 1},
    )

    assert refused.status_code == 403
    assert len(taken) == 1
    assert other.status_code == 403
    assert Task.objects.get().status == Status.RUNNING


def test_only_who_can_do_a_task_gets_it(api, agent):
    make_task("fly", required_capabilities=["flying"])
    make_task("count", required_capabilities=["counting"])
    make_task("for another", agent_id="worker-2")
    make_task("for a monitor", agent_type="monitor")
    make_task("with a service", services=["vision"])
    make_task("much memory", resources={"memory": "64Gi"})
    make_task("anything")

    assert sorted(titles(claim(api))) == ["anything", "count"]


def test_a_specialist_takes_nothing_that_names_no_capability(api):
    make_agent("worker-1", accept_any=False)
    make_task("anything")
    make_task("for it", agent_id="worker-1")

    assert titles(claim(api)) == ["for it"]


def test_a_claim_may_ask_for_a_part_of_what_the_agent_can(api):
    make_agent("worker-1", capabilities=["counting", "flying"])
    make_task("fly", required_capabilities=["flying"])
    make_task("count", required_capabilities=["counting"])

    assert titles(claim(api, capabilities=["counting"])) == ["count"]


def test_requests_never_exceed_the_capacity(api):
    make_agent("worker-1", resources={"cpu": "2", "gpus": 1, "note": "free words"})
    for number in range(5):
        make_task(f"half {number}", resources={"cpu": "500m"})
    make_task("gpu", resources={"gpu": 1}, priority=10)
    make_task("second gpu", resources={"gpus": 1}, priority=10)

    first = claim(api)
    item = first.json()["tasks"][0]
    held = {"lease_id": item["lease_id"], "lease_epoch": item["lease_epoch"]}
    api.post(f"/api/v1/tasks/{item['id']}/complete", held)

    assert titles(first) == ["gpu", "half 0", "half 1", "half 2", "half 3"]
    assert titles(claim(api)) == ["second gpu"]


def test_a_key_is_held_by_as_many_leases_as_it_allows(api, agent):
    for number in range(4):
        wishes = {"concurrency_key": "customer-7", "concurrency_limit": 2}
        make_task(f"k{number}", priority=9 - number, **wishes)
    make_task("free", priority=5)

    first = claim(api)
    done = first.json()["tasks"][0]
    held = {"lease_id": done["lease_id"], "lease_epoch": done["lease_epoch"]}
    api.post(f"/api/v1/tasks/{done['id']}/complete", held)

    assert titles(first) == ["k0", "k1", "free"]
    assert LimitHold.objects.count() == 1
    assert titles(claim(api)) == ["k2"]


def test_a_full_key_does_not_hide_the_rest(api, agent):
    for number in range(8):
        make_task(f"k{number}", concurrency_key="one")
    make_task("free", priority=1)

    assert titles(claim(api, max=2)) == ["k0", "free"]


def test_tasks_that_write_the_same_thing_run_one_after_the_other(api, agent):
    make_task("a", writes=["sku:A1:price", "sku:B2:price"])
    make_task("b", writes=["sku:B2:price"])

    assert titles(claim(api)) == ["a"]
    services.task_release(Task.objects.get(title="a"), **_fence_of("a"), actor="test")
    assert titles(claim(api)) == ["a"]


def _fence_of(title):
    lease = Lease.objects.get(task__title=title, ended_at=None)
    return {"lease_id": lease.pk, "lease_epoch": lease.epoch}


def test_a_capability_may_be_limited_in_the_whole_fleet(api):
    services.limit_set(key="capability:gpu", limit=2, actor="alice")
    for name in ("worker-1", "worker-2"):
        make_agent(name, capabilities=["gpu"])
    for number in range(4):
        make_task(f"g{number}", required_capabilities=["gpu"])

    assert titles(claim(api, "worker-1", max=1)) == ["g0"]
    assert titles(claim(api, "worker-2")) == ["g1"]
    assert claim(api, "worker-1").headers["X-Claim-Reason"] == "no_task"


def test_five_failures_open_the_breaker_for_that_class_only(api, agent):
    wishes = {"required_capabilities": ["counting"], "policy": {"max_attempts": 1}}
    for number in range(5):
        item = make_running(agent, f"count {number}", **wishes)
        error = {"type": "E", "message": "broken"}
        services.task_fail(item.task, **fence(item), error=error, actor="test")
    for number in range(3):
        make_task(f"probe {number}", **wishes)
    make_task("other skill")

    assert titles(claim(api)) == ["other skill"]
    Breaker.objects.update(opened_until=PAST)
    assert titles(claim(api)) == ["probe 0"]
    item = Lease.objects.get(task__title="probe 0")
    services.task_complete(item.task, lease_id=item.pk, lease_epoch=1, actor="test")
    assert titles(claim(api)) == ["probe 1", "probe 2"]
    assert not Breaker.objects.exists()


def test_a_failed_probe_opens_the_breaker_again(api, agent):
    wishes = {"required_capabilities": ["counting"], "policy": {"max_attempts": 1}}
    error = {"type": "E", "message": "broken"}
    for number in range(6):
        item = make_running(agent, f"count {number}", **wishes)
        services.task_fail(item.task, **fence(item), error=error, actor="test")
        if number == 4:
            Breaker.objects.update(opened_until=PAST)
    make_task("count again", **wishes)

    assert claim(api).headers["X-Claim-Reason"] == "no_headroom"


def test_a_lease_that_runs_out_gives_the_task_to_another(api, agent):
    item = make_running(agent)

    lose(item)

    task = Task.objects.get()
    assert (task.status, task.lease_losses, task.failures) == (Status.RETRYING, 1, 0)
    assert services.due_tasks_ready() == 1
    assert claim_one(make_agent("worker-2")).lease_epoch == 2
    assert Event.objects.filter(type="task.lease_lost").count() == 1


def test_a_payload_that_kills_its_workers_is_a_dead_letter(agent):
    make_task(policy={"max_deliveries": 2})
    for _ in range(2):
        lose(claim_one(agent))
        services.due_tasks_ready()

    task = Task.objects.get()
    assert (task.status, task.dead_letter_reason) == (Status.FAILED, "max_deliveries")


def test_an_attempt_that_takes_too_long_failed(agent):
    item = make_running(agent)
    Lease.objects.update(expires_at=PAST, execution_ends_at=PAST)

    assert services.leases_reap() == 1

    task = Task.objects.get()
    assert (task.status, task.failures, task.lease_losses) == (Status.RETRYING, 1, 0)
    assert task.error["type"] == "execution_timeout"
    assert item.task.attempt_rows.get().outcome == "failed"


def test_a_late_result_of_the_newest_lease_is_accepted(api, agent):
    item = make_running(agent)
    lose(item)

    answer = api.post(f"/api/v1/tasks/{item.task.pk}/complete", {**fence(item), "result": 5})

    assert answer.json() == {"task_id": item.task.pk, "status": "completed", "late": True}
    assert Task.objects.get().result == 5
    assert api.get(f"/api/v1/tasks/{item.task.pk}/attempts").json()[0]["late"] is True


def test_a_result_after_a_second_claim_is_an_orphan_that_a_person_decides_on(api, agent):
    make_task(policy={"max_attempts": 1})
    first = claim_one(agent)
    lose(first)
    services.due_tasks_ready()
    second = claim_one(make_agent("worker-2"))
    path = f"/api/v1/tasks/{first.task.pk}"

    refused = api.post(f"{path}/complete", {**fence(first), "result": "late"})
    again = api.post(f"{path}/complete", {**fence(first), "result": "late"})
    api.post(f"{path}/fail", {**fence(second), "error": "no"})
    [orphan] = api.get(f"{path}/orphans").json()
    accepted = api.post(f"{path}/orphans/1/accept", {"reason": "it is right"})
    twice = api.post(f"{path}/orphans/1/discard", {"reason": "or not"})

    assert (refused.status_code, again.status_code) == (409, 409)
    assert refused.json()["current_epoch"] == 2
    assert (orphan["result"], orphan["agent_id"], orphan["status"]) == (
        "late",
        "worker-1",
        "stored",
    )
    assert (accepted.json()["status"], accepted.json()["result"]) == ("completed", "late")
    assert accepted.json()["dead_letter"] is None
    assert twice.status_code == 409
    assert OrphanResult.objects.count() == 1


def test_an_orphan_that_contradicts_the_result_changes_nothing(api, agent):
    first = make_running(agent)
    lose(first)
    services.due_tasks_ready()
    second = claim_one(make_agent("worker-2"))
    services.task_complete(second.task, **fence(second), result="right", actor="test")

    api.post(f"/api/v1/tasks/{first.task.pk}/complete", {**fence(first), "result": "wrong"})
    refused = api.post(f"/api/v1/tasks/{first.task.pk}/orphans/1/accept", {"reason": "mine"})

    assert OrphanResult.objects.get().differs is True
    assert refused.status_code == 409
    assert OrphanResult.objects.get().status == "stored"
    assert Task.objects.get().result == "right"


def test_recovery_settles_everything_that_the_agent_held(api, agent):
    make_task("kept"), make_task("done"), make_task("forgotten"), make_task("stolen")
    held = {
        item.task.title: item for item in services.task_claim(agent, maximum=4, actor="t").tasks
    }
    lose(held["stolen"])
    services.due_tasks_ready()
    claim_one(make_agent("worker-2"))
    holding = [
        {"task_id": held["kept"].task.pk, "lease_epoch": 1},
        {
            "task_id": held["done"].task.pk,
            "lease_epoch": 1,
            "outcome": {"status": "completed", "result": 1},
        },
        {
            "task_id": held["stolen"].task.pk,
            "lease_epoch": 1,
            "outcome": {"status": "completed", "result": 2},
        },
        {"task_id": "unknown", "lease_epoch": 1},
    ]

    response = api.post("/api/v1/agents/worker-1/recover", {"holding": holding})

    outcomes = [row["outcome"] for row in response.json()["results"]]
    assert outcomes == ["keep", "accepted", "orphaned", "lost"]
    forgotten = Task.objects.get(title="forgotten")
    assert (forgotten.status, forgotten.lease_losses) == (Status.RETRYING, 1)
    assert Task.objects.get(title="kept").status == Status.RUNNING


def test_deregistering_gives_everything_back_and_spends_nothing(agent):
    item = make_running(agent)

    agent_deregister(agent, actor="alice")

    task = Task.objects.get()
    assert (task.status, task.releases, task.lease_losses) == (Status.PENDING, 0, 0)
    late = services.task_complete(item.task, **fence(item), result=1, actor="t")
    assert late["late"] is True


def test_disabling_an_agent_revokes_its_leases_at_once(api, agent):
    item = make_running(agent)

    agent_overlay_set(agent, overlay="disabled", reason="wrong answers", actor="alice")

    response = api.post(f"/api/v1/tasks/{item.task.pk}/heartbeat", fence(item))
    assert response.json()["code"] == "lease_lost"
    assert Task.objects.get().status == Status.PENDING


def test_a_batch_completes_row_by_row_in_a_constant_number_of_queries(
    api, agent, django_assert_max_num_queries
):
    for number in range(12):
        make_task(f"t{number}")
    items = services.task_claim(agent, maximum=10, actor="test").tasks
    results = [{"task_id": i.task.pk, **fence(i), "result": i.task.title} for i in items]
    results.append({"task_id": "unknown", "lease_id": "x", "lease_epoch": 1})
    results.append({**results[0], "lease_epoch": 9})

    with django_assert_max_num_queries(22):
        rows = api.post("/api/v1/agents/worker-1/complete", {"results": results}).json()["results"]

    assert [row["status"] for row in rows] == ["completed"] * 10 + ["error"] * 2
    assert [row.get("code") for row in rows[10:]] == ["not_found", "lease_lost"]
    done = Task.objects.filter(status=Status.COMPLETED)
    assert all(task.result == task.title for task in done)
    assert Event.objects.filter(type="task.completed").count() == 10


def test_a_claim_of_fifty_costs_as_many_queries_as_a_claim_of_one(
    agent, django_assert_max_num_queries
):
    Agent.objects.update(max_concurrency=100)
    agent.refresh_from_db()
    for number in range(50):
        make_task(f"t{number}")

    with django_assert_max_num_queries(16):
        assert len(services.task_claim(agent, maximum=50, actor="test").tasks) == 50


def test_a_claim_that_waits_is_asked_again_when_the_bell_rings(api, agent):
    waits = api.post("/api/v1/agents/worker-1/claim", {"wait_s": 30})
    does_not = api.post("/api/v1/agents/worker-1/claim", {"wait_s": 0})

    assert (waits.status_code, waits.headers["X-Poll-Again"]) == (204, "tasks;30;")
    assert "X-Poll-Again" not in does_not.headers
    assert api.post("/api/v1/agents/worker-1/claim", {"wait_s": 61}).status_code == 422


def test_an_agent_that_goes_while_it_claims_gets_nothing(agent):
    make_task()
    agent_deregister(agent, actor="alice")

    with pytest.raises(Missing):
        services.task_claim(agent, actor="test")

    assert Task.objects.get().status == Status.PENDING


def test_the_registry_counts_work_in_flight_and_how_it_went(api):
    agent = make_agent("worker-1", max_concurrency=1)
    item = make_running(agent)

    shown = api.get("/api/v1/agents/worker-1").json()
    services.task_complete(item.task, **fence(item), actor="test")
    outcomes = registry_ports.recent_outcomes([agent.pk])

    assert (shown["in_flight"], shown["status"]) == (1, "busy")
    assert registry_ports.in_flight([agent.pk]) == {}
    assert outcomes[agent.pk].success == 1.0


def test_the_usual_time_of_a_class_is_measured(agent):
    item = make_running(agent)
    services.task_complete(item.task, **fence(item), actor="test")
    ended = timezone.now()
    item.task.attempt_rows.update(started_at=ended - timedelta(seconds=7), ended_at=ended)

    assert services.classes_measure() == 1

    item.task.task_class.refresh_from_db()
    assert item.task.task_class.p90_ms == 7000
