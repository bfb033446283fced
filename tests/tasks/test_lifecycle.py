"""The life of a task through the APIs: every move of the table, and every move that is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import Event
from tasks import services
from tasks.models import Attempt, Lease, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import claim_one, fence, make_running, make_task

pytestmark = pytest.mark.django_db
Status = Task.Status
PAST = timezone.now() - timedelta(days=1)


@pytest.fixture
def agent():
    return make_agent("worker-1", capabilities=["counting"])


def events_of(task):
    return list(Event.objects.filter(entity_type="task", entity_id=task.pk).order_by("pk"))


def names_of(task):
    return [event.type for event in events_of(task)]


def call(api, item, name, **body):
    return api.post(f"/api/v1/tasks/{item.task.pk}/{name}", {**fence(item), **body})


def test_a_task_is_submitted_claimed_and_completed(api, agent):
    submitted = api.post("/api/v1/tasks", {"title": "Count", "description": "", "priority": 8})
    task_id = submitted.json()["id"]

    [claimed] = api.post("/api/v1/agents/worker-1/claim", {"max": 1}).json()["tasks"]
    held = {"lease_id": claimed["lease_id"], "lease_epoch": claimed["lease_epoch"]}
    answer = api.post(f"/api/v1/tasks/{task_id}/complete", {**held, "result": {"stars": 7}})

    assert submitted.status_code == 200
    assert submitted.json()["status"] == "pending"
    assert (claimed["id"], claimed["attempt"], claimed["lease_epoch"]) == (task_id, 1, 1)
    assert answer.json() == {"task_id": task_id, "status": "completed", "late": False}
    task = Task.objects.get(pk=task_id)
    assert task.result == {"stars": 7}
    assert names_of(task) == ["task.submitted", "task.assigned", "task.completed"]
    assert Lease.objects.get(task=task).ended_at is not None
    assert Attempt.objects.get(task=task).outcome == "completed"


def test_completing_twice_answers_the_same_and_happens_once(api, agent):
    item = make_running(agent)

    first = call(api, item, "complete", result=1)
    second = call(api, item, "complete", result=2)

    assert (second.status_code, second.json()) == (200, first.json())
    assert Task.objects.get(pk=item.task.pk).result == 1
    assert names_of(item.task).count("task.completed") == 1


def test_a_stale_token_is_refused_and_nothing_happens(api, agent):
    item = make_running(agent)
    stale = {"lease_id": item.lease_id, "lease_epoch": item.lease_epoch - 1}

    for name in ("heartbeat", "complete", "fail", "release", "wait", "confirm-cancel"):
        body = {**stale, "reason": "input"}
        response = api.post(f"/api/v1/tasks/{item.task.pk}/{name}", body)

        assert response.status_code == 409, name
        assert response.json()["code"] == "lease_lost"
        assert (response.json()["state"], response.json()["current_epoch"]) == ("running", 1)
    assert Task.objects.get(pk=item.task.pk).status == Status.RUNNING
    assert names_of(item.task) == ["task.submitted", "task.assigned"]


def test_a_failure_is_retried_after_the_backoff_then_dead(api, agent):
    task = make_task(policy={"max_attempts": 2})
    item = claim_one(agent)

    answer = call(api, item, "fail", error={"type": "Cloudy", "message": "no stars"})

    assert answer.json()["status"] == "retrying"
    assert answer.json() == call(api, item, "fail", error="again").json()
    task.refresh_from_db()
    wait = (task.due_at - task.updated_at).total_seconds()
    assert 3.9 < wait < 6.1  # 5 s, give or take 20 %
    assert services.due_tasks_ready() == 0
    Task.objects.update(due_at=PAST)
    assert services.due_tasks_ready() == 1
    last = call(api, claim_one(agent), "fail", error="still cloudy")
    assert last.json() == {"task_id": task.pk, "status": "failed", "next_attempt_at": None}
    task.refresh_from_db()
    assert (task.dead_letter_reason, task.failures) == ("attempts_exhausted", 2)
    errors = [
        row["error"]["message"] for row in api.get(f"/api/v1/tasks/{task.pk}/attempts").json()
    ]
    assert errors == ["no stars", "still cloudy"]
    assert names_of(task)[2:] == [
        "task.retry_scheduled",
        "task.ready",
        "task.assigned",
        "task.failed",
    ]


@pytest.mark.parametrize(
    ("policy", "body"),
    [({}, {"retryable": False}), ({"retry": {"non_retryable": ["Cloudy"]}}, {})],
)
def test_what_cannot_be_retried_is_a_dead_letter_at_once(api, agent, policy, body):
    item = make_running(agent, policy=policy)

    answer = call(api, item, "fail", error={"type": "Cloudy", "message": "no stars"}, **body)

    assert answer.json()["status"] == "failed"
    assert Task.objects.get().dead_letter_reason == "non_retryable"
    assert [row["id"] for row in api.get("/api/v1/tasks?dead_letter=true").json()] == [item.task.pk]


def test_retry_after_wins_over_the_formula(api, agent):
    item = make_running(agent)

    call(api, item, "fail", error="busy", retry_after_s=77)

    task = Task.objects.get()
    assert round((task.due_at - task.updated_at).total_seconds()) == 77


def test_releasing_spends_nothing_and_the_21st_counts_as_a_failure(api, agent):
    make_task()
    for number in range(1, 21):
        answer = call(api, claim_one(agent), "release", reason="not now")
        assert answer.json()["status"] == "pending"
        assert Task.objects.get().releases == number

    answer = call(api, claim_one(agent), "release", reason="not now")

    assert answer.json()["status"] == "retrying"
    assert (Task.objects.get().failures, Task.objects.get().releases) == (1, 20)


def test_releasing_for_a_while_comes_back_later(api, agent):
    item = make_running(agent)

    assert call(api, item, "release", delay_s=30).json()["status"] == "retrying"
    assert services.task_claim(agent, actor="test").reason == "no_task"
    assert names_of(item.task)[-1] == "task.released"


def test_waiting_frees_the_slot_and_the_answer_goes_on_with_the_same_attempt(api):
    agent = make_agent("worker-1", max_concurrency=1)
    item = make_running(agent)

    call(api, item, "wait", reason="approval", prompt="May I?")
    shown = api.get(f"/api/v1/tasks/{item.task.pk}").json()
    answered = api.post(f"/api/v1/tasks/{item.task.pk}/answer", {"answer": {"yes": True}})
    [again] = api.post("/api/v1/agents/worker-1/claim", {}).json()["tasks"]

    assert shown["question"] == {"reason": "approval", "prompt": "May I?", "form": None}
    assert answered.json()["status"] == "pending"
    assert (again["attempt"], again["lease_epoch"], again["answer"]) == (1, 2, {"yes": True})
    assert Attempt.objects.get().outcome == "running"
    assert names_of(item.task)[2:] == ["task.waiting", "task.resumed", "task.assigned"]


def test_cancelling_what_nobody_holds_is_at_once_and_final(api):
    task = make_task()

    first = api.post(f"/api/v1/tasks/{task.pk}/cancel", {"reason": "not needed"})
    second = api.delete(f"/api/v1/tasks/{task.pk}")

    assert first.json()["status"] == "cancelled"
    assert second.status_code == 409
    assert second.json()["code"] == "illegal_transition"
    assert (second.json()["from"], second.json()["to"]) == ("cancelled", "cancelled")
    assert second.json()["allowed"] == ["pending"]
    assert names_of(task) == ["task.submitted", "task.cancelled"]


def test_cancelling_running_work_asks_the_agent_and_revokes_after_the_grace(api, agent):
    item = make_running(agent)

    asked = api.post(f"/api/v1/tasks/{item.task.pk}/cancel", {"reason": "stop"})
    beat = call(api, item, "heartbeat")
    assert services.leases_reap() == 0
    Task.objects.update(cancel_requested_at=timezone.now() - timedelta(seconds=31))
    assert services.leases_reap() == 1

    assert asked.json()["status"] == "running"
    assert beat.json()["cancel_requested"] is True
    assert Task.objects.get().status == Status.CANCELLED
    assert not Lease.objects.filter(ended_at=None).exists()
    assert names_of(item.task)[2:] == ["task.cancel_requested", "task.cancelled"]


def test_the_agent_confirms_a_cancellation_but_only_one_that_was_asked_for(api, agent):
    item = make_running(agent)

    refused = call(api, item, "confirm-cancel")
    api.post(f"/api/v1/tasks/{item.task.pk}/cancel")
    confirmed = call(api, item, "confirm-cancel", note="stopped at 3")

    assert refused.status_code == 409
    assert confirmed.json() == {"task_id": item.task.pk, "status": "cancelled"}


def test_work_whose_cancellation_was_asked_for_is_not_tried_again(api, agent):
    item = make_running(agent)
    api.post(f"/api/v1/tasks/{item.task.pk}/cancel")

    answer = call(api, item, "fail", error="interrupted")

    assert answer.json() == {
        "task_id": item.task.pk,
        "status": "cancelled",
        "next_attempt_at": None,
    }


def test_a_redrive_starts_anew_and_keeps_what_was_changed(api, agent):
    item = make_running(agent, payload={"sky": "north", "lens": 2})
    call(api, item, "fail", error="no", retryable=False)

    body = {"payload": {"sky": "south", "lens": 2}, "reason": "other sky"}
    answer = api.post(f"/api/v1/tasks/{item.task.pk}/redrive", body)

    assert answer.json()["status"] == "pending"
    assert answer.json()["dead_letter"] is None
    again = claim_one(agent)
    assert (again.attempt, again.lease_epoch) == (2, 2)
    redrive = item.task.redrives.get()
    assert redrive.payload_before == {"sky": "north", "lens": 2}
    assert redrive.changes == [{"path": "sky", "from": "north", "to": "south"}]
    assert Task.objects.get().failures == 0


def test_a_redrive_may_name_another_agent(api, agent):
    task = make_task()
    api.delete(f"/api/v1/tasks/{task.pk}")

    api.post(f"/api/v1/tasks/{task.pk}/redrive", {"agent_id": "worker-2"})

    assert services.task_claim(agent, actor="test").reason == "no_task"
    assert claim_one(make_agent("worker-2")).task.pk == task.pk


def test_a_completed_task_never_runs_again(api, agent):
    item = make_running(agent)
    call(api, item, "complete")
    before = len(events_of(item.task))

    for method, path, body in (
        ("post", "/redrive", {}),
        ("post", "/cancel", {}),
        ("post", "/answer", {"answer": 1}),
        ("patch", "", {"priority": 3}),
        ("delete", "", {}),
    ):
        response = getattr(api, method)(f"/api/v1/tasks/{item.task.pk}{path}", body)

        assert response.status_code == 409, path
        assert response.json()["allowed"] == []
    assert Task.objects.get().status == Status.COMPLETED
    assert len(events_of(item.task)) == before


def test_a_deadline_ends_waiting_but_not_running_work(api, agent):
    soon = timezone.now() + timedelta(hours=1)
    held = make_running(agent, deadline=soon)
    waiting, late = make_task(deadline=soon), make_task(deadline=PAST)
    Task.objects.exclude(pk=late.pk).update(deadline=PAST)

    assert services.deadlines_expire() == 1

    assert api.get(f"/api/v1/tasks/{waiting.pk}").json()["status"] == "expired"
    assert api.get(f"/api/v1/tasks/{waiting.pk}").json()["dead_letter"]["reason"] == "expired"
    assert Task.objects.get(pk=held.task.pk).status == Status.RUNNING
    # Past already at submit: kept, shown, never expires.
    assert api.get(f"/api/v1/tasks/{late.pk}").json()["status"] == "pending"


def test_time_in_the_queue_may_be_limited_until_the_first_lease(agent):
    released = make_running(agent, policy={"queue_ttl_s": 60})
    services.task_release(released.task, **fence(released), actor="test")
    task = make_task(policy={"queue_ttl_s": 60})
    assert services.deadlines_expire() == 0

    Task.objects.filter(queue_expires_at__isnull=False).update(queue_expires_at=PAST)

    assert services.deadlines_expire() == 1
    assert Task.objects.get(status=Status.EXPIRED) == task


def test_a_scheduled_task_waits_for_its_time(api, agent):
    later = timezone.now() + timedelta(hours=1)
    body = {"title": "Later", "description": "", "run_at": later.isoformat()}

    answer = api.post("/api/v1/tasks", body)

    assert answer.json()["status"] == "scheduled"
    assert services.due_tasks_ready() == 0
    Task.objects.update(due_at=PAST)
    assert services.due_tasks_ready() == 1
    assert claim_one(agent).task.pk == answer.json()["id"]


def test_a_task_waits_for_what_it_depends_on(api, agent):
    first = make_task("first")
    body = {"title": "second", "description": "", "depends_on": [first.pk]}

    second = api.post("/api/v1/tasks", body).json()

    assert (second["status"], second["blocked_by"]) == ("scheduled", [first.pk])
    assert services.due_tasks_ready() == 0
    call(api, claim_one(agent), "complete")
    assert services.due_tasks_ready() == 1
    assert api.get(f"/api/v1/tasks/{second['id']}").json()["blocked_by"] == []


@pytest.mark.parametrize(
    ("wish", "status"), [("cancel", "cancelled"), ("run", "pending"), ("wait", "scheduled")]
)
def test_a_dependency_that_is_not_completed_does_as_was_wished(wish, status):
    first = make_task("first")
    second = make_task("second", depends_on=[first.pk], policy={"on_dependency_failure": wish})
    services.task_cancel(first, actor="test")

    services.due_tasks_ready()

    second.refresh_from_db()
    assert second.status == status


def test_an_unknown_dependency_is_refused(api):
    body = {"title": "second", "description": "", "depends_on": ["nothing"]}

    response = api.post("/api/v1/tasks", body)

    assert response.status_code == 422
    assert not Task.objects.exists()


def test_a_task_that_nobody_could_do_is_rejected_if_the_submitter_wants_that(api, agent):
    body = {"title": "Fly", "description": "", "required_capabilities": ["flying"]}

    waits = api.post("/api/v1/tasks", body).json()
    rejected = api.post("/api/v1/tasks", {**body, "on_infeasible": "reject"}).json()

    assert (waits["status"], len(waits["warnings"])) == ("pending", 1)
    assert (rejected["status"], rejected["error"]["type"]) == ("rejected", "infeasible")
    assert Event.objects.filter(type="task.rejected").count() == 1
