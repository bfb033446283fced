"""Tasks in the Coordinator API."""

import pytest

from tasks.models import Task
from tests.factories.registry import make_agent
from tests.factories.tasks import claim_one, fence, make_task

pytestmark = pytest.mark.django_db


def submit(api, **body):
    return api.post("/tasks/submit", {"task_data": {"model": "llama2"}, **body})


def test_the_example_of_the_reference(api):
    body = {
        "task_data": {"model": "llama2", "prompt": "test prompt"},
        "priority": "normal",
        "requirements": {},
    }

    answer = api.post("/tasks/submit", body).json()

    assert (answer["status"], answer["message"]) == ("success", "Task submitted successfully")
    assert (answer["priority"], answer["chain_id"], answer["escrow_id"]) == ("normal", None, None)
    shown = api.get(f"/tasks/{answer['task_id']}").json()["task"]
    assert shown["payload"] == body["task_data"]
    assert api.get(f"/v1/tasks/{answer['task_id']}").json()["task"]["id"] == answer["task_id"]


@pytest.mark.parametrize(
    ("word", "number"), [("low", 2), ("Normal", 5), ("HIGH", 7), ("critical", 9), ("urgent", 10)]
)
def test_a_priority_is_a_word_and_comes_back_as_typed(api, word, number):
    answer = submit(api, priority=word).json()

    assert answer["priority"] == word
    assert Task.objects.get().priority == number
    assert api.get(f"/tasks/{answer['task_id']}").json()["task"]["priority"] == word
    assert api.get(f"/api/v1/tasks/{answer['task_id']}").json()["priority"] == number


def test_a_task_of_the_other_api_shows_its_band(api):
    task = make_task(priority=8)

    assert api.get(f"/tasks/{task.pk}").json()["task"]["priority"] == "high"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"priority": "bogus"}, 400),
        ({"priority": 5}, 422),
        ({"task_data": "text"}, 422),
        ({"payment": {"amount": 5}}, 422),
        ({"task_data": {"payment": 5}}, 422),
        ({"requirements": {"capabilities": "gpu"}}, 422),
        ({"requirements": []}, 422),
        ({"task_data": {"required_capabilities": "gpu"}}, 422),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(api, body, status):
    response = submit(api, **body)

    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] == "Invalid priority: bogus"
    assert not Task.objects.exists()


def test_ids_are_echoed_with_their_type(api):
    first = submit(api, task_data={"task_id": 77}).json()
    again = submit(api, task_data={"task_id": 77}).json()

    assert first["task_id"] == again["task_id"] == 77
    assert Task.objects.get().pk == "77"


def test_requirements_bind_and_the_rest_is_passed_on(api):
    make_agent("worker-1", capabilities=["gpu"], agent_type="inference", services=["llm"])
    requirements = {
        "capabilities": ["gpu"],
        "agent_type": "inference",
        "services": ["llm"],
        "model": "llama2",
    }
    submit(api, requirements=requirements, payment=None, chain_id="c1")
    submit(api, requirements={"agent_type": "training"})
    submit(api, task_data={"required_capabilities": ["fpga"]})

    [taken] = api.post("/agents/worker-1/claim", {"max": 9, "wait_s": 0}).json()["tasks"]

    assert taken["requirements"] == requirements


def test_the_queues_and_the_statistics_add_up(api):
    agent = make_agent("worker-1")
    for priority in (1, 3, 5, 8, 9, 10, 10):
        make_task(priority=priority)
    item = claim_one(agent)
    path = f"/tasks/{item.task.pk}"
    done = api.post(f"{path}/complete", {**fence(item), "result": 1})

    sizes = {"urgent": 1, "critical": 1, "high": 1, "normal": 1, "low": 2}
    assert done.json()["status"] == "completed"
    assert api.get("/tasks/queues").json()["queue_sizes"] == sizes
    stats = api.get("/tasks/status").json()["stats"]
    balancer = stats.pop("load_balancer_stats")
    assert stats.pop("avg_distribution_time") >= 0
    assert stats == {
        "tasks_distributed": 1,
        "tasks_completed": 1,
        "tasks_failed": 0,
        "queue_sizes": sizes,
    }
    assert (balancer["total_assignments"], balancer["success_rate"]) == (1, 1.0)
    assert api.get("/tasks/queues/stats").json()["distribution_stats"]["tasks_completed"] == 1


def test_a_task_is_cancelled_and_explained_here_too(api):
    task = make_task()

    assert "agent" in api.get(f"/tasks/{task.pk}/explain").json()["sentence"]
    answer = api.post(f"/tasks/{task.pk}/cancel", {"reason": "enough"}).json()
    assert answer["task"]["status"] == "cancelled"
    assert api.post(f"/tasks/{task.pk}/cancel").status_code == 409
    assert api.get("/tasks/nothing").json()["message"] == "Task not found"
