"""Races about tasks, with threads: a task has one holder, a key makes one task, limits hold."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from messaging.models import Event
from platform_site.common.errors import Refusal
from registry.models import Agent
from tasks import services
from tasks.models import Lease, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import fence, make_running, make_task

pytestmark = [pytest.mark.stress, pytest.mark.django_db(transaction=True)]
THREADS = 8


def together(function, arguments):
    """Call `function` for each argument at the same moment, each in a thread; results in order."""
    arguments = list(arguments)
    start = threading.Barrier(len(arguments))

    def run(argument):
        try:
            start.wait(timeout=60)
            return function(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def work_off(agent_id):
    """Claim in batches and complete until nothing is left; the ids that were completed."""
    agent = Agent.objects.select_related("presence").get(agent_id=agent_id)
    done = []
    while True:
        items = services.task_claim(agent, maximum=7, actor=agent_id).tasks
        if not items:
            return done
        reports = [services.Report(item.task.pk, item.lease_id, item.lease_epoch) for item in items]
        for answer in services.tasks_complete(reports, agent=agent, actor=agent_id):
            assert not isinstance(answer, Refusal)
            done.append(answer["task_id"])


def test_two_claims_never_share_a_task():
    orders = [{"title": f"t{number}"} for number in range(400)]
    made = [task.pk for task in services.tasks_submit(orders, actor="test")]
    for number in range(THREADS):
        make_agent(f"worker-{number}")

    done = together(work_off, [f"worker-{number}" for number in range(THREADS)])

    counted = Counter(key for keys in done for key in keys)
    assert set(counted.values()) <= {1}
    # On PostgreSQL a claim passes over rows that another holds at that moment, so a worker may
    # leave early; whatever it left, the next claim takes.
    counted.update(work_off("worker-0"))
    assert sorted(counted) == sorted(made)
    assert set(counted.values()) == {1}
    assert Event.objects.filter(type="task.assigned").count() == 400
    assert not Lease.objects.filter(ended_at=None).exists()


def test_one_agent_in_many_threads_never_exceeds_its_slots():
    agent = make_agent("worker-1", max_concurrency=5)
    services.tasks_submit([{"title": f"t{number}"} for number in range(50)], actor="test")

    claims = together(
        lambda _: services.task_claim(
            Agent.objects.select_related("presence").get(pk=agent.pk), maximum=2, actor="test"
        ),
        range(THREADS),
    )

    assert sum(len(claim.tasks) for claim in claims) == 5
    assert Lease.objects.filter(ended_at=None).count() == 5


def test_a_limited_key_is_never_held_too_often():
    for number in range(THREADS):
        make_agent(f"worker-{number}")
    order = {"concurrency_key": "customer-7", "concurrency_limit": 3}
    services.tasks_submit([{"title": f"t{n}", **order} for n in range(40)], actor="test")

    claims = together(
        lambda number: services.task_claim(
            Agent.objects.select_related("presence").get(agent_id=f"worker-{number}"),
            maximum=5,
            actor="test",
        ),
        range(THREADS),
    )

    assert sum(len(claim.tasks) for claim in claims) <= 3
    assert Lease.objects.filter(ended_at=None).count() <= 3
    if connection.vendor == "sqlite":
        assert Lease.objects.filter(ended_at=None).count() == 3


def test_thirty_submitters_of_one_unique_key_make_one_task():
    ids = together(lambda _: make_task(unique_key="report").pk, range(30))

    assert len(set(ids)) == 1
    assert Task.objects.count() == 1
    assert Event.objects.filter(type="task.submitted").count() == 1


def test_thirty_submitters_of_one_id_make_one_task():
    ids = together(lambda _: make_task(task_id="job-1").pk, range(30))

    assert set(ids) == {"job-1"}
    assert Event.objects.filter(type="task.submitted").count() == 1


def test_one_idempotency_key_in_many_threads_makes_one_task(api):
    def submit(_):
        body = {"title": "Count", "description": ""}
        return api.post("/api/v1/tasks", body, HTTP_IDEMPOTENCY_KEY="k1")

    responses = together(submit, range(THREADS))

    assert Task.objects.count() == 1
    good = [response for response in responses if response.status_code == 200]
    assert good
    assert len({response.json()["id"] for response in good}) == 1
    assert {response.status_code for response in responses} <= {200, 409}


def test_a_result_and_the_reaper_at_once_end_in_one_outcome():
    agent = make_agent("worker-1", max_concurrency=50)
    items = [make_running(agent, f"t{number}") for number in range(10)]
    Lease.objects.update(expires_at="2020-01-01T00:00:00Z")

    def act(item):
        if item is None:
            return services.leases_reap()
        return services.task_complete(item.task, **fence(item), result=1, actor="test")

    outcomes = together(act, [*items, None, None])

    assert all(outcome["status"] == "completed" for outcome in outcomes[:10])
    assert Task.objects.filter(status="completed", result=1).count() == 10
    assert Event.objects.filter(type="task.completed").count() == 10
    assert not Lease.objects.filter(ended_at=None).exists()
