"""Submission: shapes, defaults, identity, uniqueness, idempotency, batches, changes, lists."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import Event
from platform_site.common.context import tracing
from tasks import services
from tasks.models import Task
from tasks.policies import Policy, static_rank
from tests.factories.registry import make_agent
from tests.factories.tasks import claim_one, fence, make_task

pytestmark = pytest.mark.django_db
REFERENCE = {
    "title": "Process Customer Data",
    "description": "Analyze customer behavior patterns",
    "priority": 8,
    "required_capabilities": ["data_processing"],
    "resources": {"cpu": 1, "memory": "512Mi"},
    "deadline": "2024-01-15T23:59:59Z",
    "metadata": {"customer_id": "12345"},
}


def submit(api, **body):
    return api.post("/api/v1/tasks", {"title": "Count", "description": "", **body})


def test_the_example_of_the_reference_is_accepted_and_echoed(api):
    answer = api.post("/api/v1/tasks", REFERENCE)
    listed = api.get("/api/v1/tasks?status_filter=pending&priority_filter=8").json()

    assert answer.status_code == 200
    shown = answer.json()
    assert list(shown)[:12] == [
        *("id", "title", "description", "priority", "required_capabilities", "resources"),
        *("metadata", "status", "assigned_agent", "created_at", "deadline", "completed_at"),
    ]
    assert {key: shown[key] for key in REFERENCE if key != "deadline"} == {
        key: value for key, value in REFERENCE.items() if key != "deadline"
    }
    assert shown["deadline"] == "2024-01-15T23:59:59.000000+00:00"
    assert shown["status"] == "pending"
    assert [row["id"] for row in listed] == [shown["id"]]


def test_priority_is_one_by_default(api):
    assert submit(api).json()["priority"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"priority": 11}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"required_capabilities": "counting"}, "required_capabilities"),
        ({"resources": {"cpu": "many"}}, "resources.cpu"),
        ({"resources": {"memory": -1}}, "resources.memory"),
        ({"deadline": "tomorrow"}, "deadline"),
        ({"lease_s": 5}, "lease_s"),
        ({"unique": {"key": "k", "scope": "always"}}, "unique.scope"),
        ({"preempt_queue": True}, "preempt_queue"),
        ({"reservations": [{"resource": "gpu"}]}, "reservations"),
        ({"task_id": "a/b"}, "task_id"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(api, wrong, field):
    response = submit(api, **wrong)

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field
    assert not Task.objects.exists()
    assert not Event.objects.filter(type__startswith="task.").exists()


def test_a_payload_over_its_limit_is_413(api):
    response = submit(api, payload={"text": "x" * (1024 * 1024)})

    assert (response.status_code, response.json()["limit"]) == (413, 1024 * 1024)


def test_only_operators_pass_the_whole_queue(api, client_as):
    body = {"priority": 10, "preempt_queue": True}

    assert submit(client_as("api_user"), **body).status_code == 403
    assert submit(api, **body).status_code == 200
    assert Task.objects.get().preempt is True


def test_the_same_idempotency_key_is_one_task(api):
    first = submit(api, idempotency_key="k1")
    again = submit(api, idempotency_key="k1")
    other = submit(api, idempotency_key="k1", priority=3)

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert other.status_code == 422
    assert Task.objects.count() == 1


def test_an_id_of_the_clients_is_identity(api):
    first = submit(api, task_id="job 77")
    again = submit(api, task_id="job 77")
    other = submit(api, task_id="job 77", priority=3)

    assert first.json()["id"] == again.json()["id"] == "job 77"
    assert (other.status_code, other.json()["existing_id"]) == (409, "job 77")
    assert Event.objects.filter(type="task.submitted").count() == 1


@pytest.mark.parametrize("scope", ["until_started", "until_closed"])
def test_a_unique_key_lasts_as_long_as_its_scope(api, scope):
    agent = make_agent("worker-1")
    unique = {"unique": {"key": "report", "scope": scope}}

    first = submit(api, **unique).json()["id"]
    assert submit(api, **unique).json()["id"] == first
    item = claim_one(agent)
    second = submit(api, **unique).json()["id"]
    services.task_complete(item.task, **fence(item), actor="test")
    third = submit(api, **unique).json()["id"]

    assert (second == first) is (scope == "until_closed")
    assert (third == second) is (scope == "until_started")


def test_a_unique_key_may_last_for_a_time(api):
    unique = {"unique": {"key": "report", "scope": "ttl", "ttl_s": 60}}
    first = submit(api, **unique).json()["id"]
    api.delete(f"/api/v1/tasks/{first}")

    assert submit(api, **unique).json()["id"] == first
    Task.objects.update(unique_until=timezone.now() - timedelta(seconds=1))
    assert submit(api, **unique).json()["id"] != first


def test_the_second_of_a_unique_key_is_refused_or_brings_its_payload(api):
    first = submit(api, unique={"key": "k"}, payload={"n": 1}).json()["id"]

    refused = submit(api, unique={"key": "k", "on_conflict": "reject"})
    replaced = submit(api, unique={"key": "k", "on_conflict": "replace_payload"}, payload={"n": 2})

    assert (refused.status_code, refused.json()["existing_id"]) == (409, first)
    assert (replaced.json()["id"], replaced.json()["payload"]) == (first, {"n": 2})
    assert Task.objects.count() == 1


def test_a_redrive_takes_its_unique_key_back_or_is_refused(api):
    first = submit(api, unique={"key": "k"}).json()["id"]
    api.delete(f"/api/v1/tasks/{first}")
    second = submit(api, unique={"key": "k"}).json()["id"]

    refused = api.post(f"/api/v1/tasks/{first}/redrive")
    api.delete(f"/api/v1/tasks/{second}")
    redriven = api.post(f"/api/v1/tasks/{first}/redrive")

    assert (refused.status_code, refused.json()["code"]) == (409, "not_unique")
    assert redriven.status_code == 200
    assert submit(api, unique={"key": "k"}).json()["id"] == first


def test_a_batch_answers_row_by_row(api, django_assert_max_num_queries):
    good = [{"title": f"t{n}", "description": ""} for n in range(20)]
    bad = [{"title": "no description"}, "no object", {**good[0], "resources": {"cpu": "x"}}]
    named = {**good[0], "task_id": "mine"}

    with django_assert_max_num_queries(25):
        rows = api.post("/api/v1/tasks/batch", {"tasks": [*good, *bad, named]}).json()["results"]

    assert [row["status"] for row in rows] == ["success"] * 20 + ["error"] * 3 + ["success"]
    assert [row["task"]["title"] for row in rows[:20]] == [f"t{n}" for n in range(20)]
    assert rows[-1]["task"]["id"] == "mine"
    assert Task.objects.count() == 21
    assert Event.objects.filter(type="task.submitted").count() == 21


def test_a_batch_has_at_most_500_rows(api):
    row = {"title": "t", "description": ""}

    assert api.post("/api/v1/tasks/batch", {"tasks": [row] * 501}).status_code == 422
    assert not Task.objects.exists()


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_change_of_priority_moves_the_task_in_the_queue(api, method):
    first, second = make_task("first"), make_task("second")

    answer = getattr(api, method)(f"/api/v1/tasks/{second.pk}", {"priority": 9})

    assert answer.json()["priority"] == 9
    assert Task.objects.get(pk=second.pk).rank < Task.objects.get(pk=first.pk).rank
    assert Event.objects.get(type="task.changed").data == {"fields": ["priority"]}


def test_the_lists_filter_and_tell_how_many_there_are(api):
    agent = make_agent("worker-1", capabilities=["counting"])
    make_task("counted", required_capabilities=["counting"])
    claim_one(agent)
    make_task("free", priority=3)

    def found(query):
        return [row["title"] for row in api.get(f"/api/v1/tasks?{query}").json()]

    assert found("") == ["free", "counted"]
    assert found("status_filter=in_progress") == ["counted"]
    assert found("capability_filter=counting") == ["counted"]
    assert found("agent_filter=worker-1") == ["counted"]
    assert found("priority_filter=3") == ["free"]
    for nothing in ("status_filter=odd", "priority_filter=x", "dead_letter=true"):
        assert found(nothing) == []
    page = api.get("/api/v1/tasks?limit=1")
    assert page.headers["X-Total-Count"] == "2"
    assert 'rel="next"' in page.headers["Link"]
    assert api.get("/api/v1/tasks?limit=0").status_code == 422
    assert len(api.get("/api/v1/agents/worker-1/tasks").json()) == 1


def test_lists_cost_the_same_for_two_rows_as_for_twenty(api, django_assert_num_queries):
    for number in range(20):
        make_task(f"t{number}")
    _queries(api, "limit=2")  # notes the use of the key

    with django_assert_num_queries(_queries(api, "limit=2")):
        api.get("/api/v1/tasks?limit=20")


def _queries(api, query):
    with CaptureQueriesContext(connection) as captured:
        api.get(f"/api/v1/tasks?{query}")
    return len(captured)


def test_a_user_changes_only_what_is_its_own(api, client_as):
    user = client_as("user")
    mine = submit(user).json()["id"]
    other = submit(api).json()["id"]

    assert user.patch(f"/api/v1/tasks/{mine}", {"priority": 2}).status_code == 200
    assert user.patch(f"/api/v1/tasks/{other}", {"priority": 2}).status_code == 404
    assert user.post(f"/api/v1/tasks/{other}/cancel").status_code == 404
    assert user.get(f"/api/v1/tasks/{other}").status_code == 200
    assert Task.objects.get(pk=other).status == "pending"


def test_an_agent_sees_only_tasks_that_concern_it(api, client_as):
    make_agent("worker-1")
    agent = client_as("agent", agent_id="worker-1")
    other = submit(api, agent_id="worker-2").json()["id"]
    mine = submit(api, agent_id="worker-1").json()["id"]

    assert agent.get(f"/api/v1/tasks/{other}").status_code == 404
    assert agent.get(f"/api/v1/tasks/{other}/explain").status_code == 404
    assert [row["id"] for row in agent.get("/api/v1/tasks").json()] == [mine]


def test_an_unknown_task_is_404_in_the_words_of_the_reference(api):
    response = api.get("/api/v1/tasks/nothing")

    assert response.status_code == 404
    assert response.json()["detail"] == response.json()["message"] == "Task not found"


def test_the_rank_is_as_written_in_the_design():
    now = timezone.now()
    t = int(now.timestamp() * 1000)

    def rank(**facts):
        return static_rank(**{"enqueued_at": now, "priority": 5, "deadline": None, **facts}) - t

    assert abs(rank(priority=1) + 120_000) <= 1
    assert abs(rank(priority=10) + 1_200_000) <= 1
    assert abs(rank(deadline=now + timedelta(hours=1)) + 600_000) <= 1
    assert abs(rank(priority=1, deadline=now, p90_ms=500_000) + 530_000) <= 1
    assert abs(rank(deadline=now - timedelta(days=400)) + 1_200_000) <= 1


def test_nobody_is_overtaken_by_what_comes_eighteen_minutes_later():
    early = timezone.now()
    late = early + timedelta(minutes=18, milliseconds=1)

    low = static_rank(enqueued_at=early, priority=1, deadline=None)
    urgent = static_rank(enqueued_at=late, priority=10, deadline=late)

    assert low < urgent


def test_the_backoff_doubles_up_to_its_cap_within_the_jitter():
    policy = Policy()

    for failures, expected in ((1, 5), (2, 10), (5, 80), (8, 600), (500, 600)):
        delays = [policy.retry_delay_s(failures) for _ in range(200)]
        assert expected * 0.8 <= min(delays) <= max(delays) <= expected * 1.2
        assert max(delays) - min(delays) > expected * 0.2


def test_a_chain_of_causes_that_grows_too_long_ends_in_a_rejected_task():
    with tracing(depth=16):
        assert make_task().status == "pending"
    with tracing(depth=17):
        task = make_task(unique_key="loop")

    assert (task.status, task.error["type"]) == ("rejected", "causation_loop")
    assert Event.objects.filter(type="task.rejected", entity_id=task.pk).count() == 1
    assert make_task(unique_key="loop").status == "pending"


def test_a_job_is_enqueued_once_for_each_key_and_asks_for_its_capability():
    job = services.job_enqueue("system.render", {"id": 7}, title="Render", key="7", actor="t")
    same = services.job_enqueue("system.render", {"id": 7}, title="Render", key="7", actor="t")
    other = services.job_enqueue("system.render", {"id": 8}, title="Render", key="8", actor="t")

    assert job.pk == same.pk != other.pk
    assert job.required_capabilities == ["system.render"]
    assert job.task_type == "system.render"
