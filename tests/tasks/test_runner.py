"""The runner works for the built-in agents under the same leases as everybody."""

import threading

import pytest

from platform_site.common.errors import Refusal, StaleState, Unavailable
from registry.models import Agent, Presence
from tasks.handlers import Later
from tasks.models import Attempt, Lease, Task
from tasks.runner import Runner, drain
from tasks.services import task_submit

FRAUD = "fraud_detection_agent_v3"


@pytest.mark.django_db
def test_what_a_handler_returns_is_the_result_of_its_task(reaction, happen, run_agents):
    def look(event, *, actor):
        return {"seen": event["data"]["n"], "by": actor}

    reaction(look)
    happen(n=7)

    assert run_agents() == 1

    task = Task.objects.get()
    assert task.status == "completed"
    assert task.result == {"seen": 7, "by": FRAUD}
    assert not Lease.objects.filter(ended_at=None).exists()


@pytest.mark.django_db
def test_later_gives_the_task_back_and_spends_nothing(reaction, happen, run_agents):
    def look(event, *, actor):
        raise Later(30, "The carrier has not answered yet.")

    reaction(look)
    happen()

    run_agents()

    task = Task.objects.get()
    assert task.status in ("pending", "retrying")
    assert (task.failures, task.releases) == (0, 1)
    assert Attempt.objects.get().outcome == "released"


@pytest.mark.django_db
def test_a_mistake_is_tried_again_later(reaction, happen, run_agents):
    def look(event, *, actor):
        raise KeyError("weight")

    reaction(look)
    happen()

    run_agents()

    task = Task.objects.get()
    assert (task.status, task.failures) == ("retrying", 1)
    assert Attempt.objects.get().error == {"type": "KeyError", "message": "'weight'"}


@pytest.mark.django_db
def test_a_refusal_is_final_and_is_read_in_its_own_words(reaction, happen, run_agents):
    def look(event, *, actor):
        raise Refusal("The order is cancelled.")

    reaction(look)
    happen()

    run_agents()

    task = Task.objects.get()
    assert (task.status, task.dead_letter_reason) == ("failed", "non_retryable")
    assert task.error["message"] == "The order is cancelled."


@pytest.mark.django_db
@pytest.mark.parametrize("error", [StaleState("Somebody was first."), Unavailable("Away.")])
def test_a_refusal_that_passes_is_tried_again(reaction, happen, run_agents, error):
    def look(event, *, actor):
        raise error

    reaction(look)
    happen()

    run_agents()

    assert Task.objects.get().status == "retrying"


@pytest.mark.django_db
def test_work_that_the_agent_does_not_know_fails_at_once_and_says_so(builtin_agents, run_agents):
    task_submit(title="Strange", task_type="fraud.juggle", agent_id=FRAUD, actor="alice")

    run_agents()

    task = Task.objects.get()
    assert task.status == "failed"
    assert task.error["message"] == "The agent knows no work of the type 'fraud.juggle'."


@pytest.mark.django_db
def test_an_agent_that_an_operator_cordoned_gets_no_work(reaction, happen, run_agents):
    ran = []

    def look(event, *, actor):
        ran.append(event)

    reaction(look)
    Agent.objects.filter(agent_id=FRAUD).update(overlay="cordoned")
    happen()

    assert run_agents() == 0
    assert ran == []
    assert Task.objects.get().status == "pending"


@pytest.mark.django_db
def test_work_for_others_is_left_to_them(builtin_agents):
    task_submit(title="For somebody else", required_capabilities=["paint"], actor="alice")

    assert drain() == 0
    assert Task.objects.get().status == "pending"


@pytest.mark.django_db(transaction=True)
def test_a_stopping_runner_finishes_what_runs_and_releases_what_waits(reaction, happen):
    started, may_end = threading.Event(), threading.Event()

    def look(event, *, actor):
        started.set()
        may_end.wait(20)
        return {"done": True}

    reaction(look)
    for _ in range(6):
        happen()
    runner = Runner([FRAUD], threads=1)
    runner.start()
    assert started.wait(20)

    runner.stop_soon()
    may_end.set()
    left = runner.finish(within_s=20)

    assert left == 0
    assert Task.objects.filter(status="completed").count() == 1
    assert Task.objects.filter(status="pending").count() == 5
    assert not Lease.objects.filter(ended_at=None).exists()
    assert Presence.objects.get(agent__agent_id=FRAUD).last_seen_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_task_that_does_not_end_in_time_is_released_for_others(reaction, happen):
    started, may_end = threading.Event(), threading.Event()

    def look(event, *, actor):
        started.set()
        may_end.wait(20)

    reaction(look)
    happen()
    runner = Runner([FRAUD], threads=1)
    runner.start()
    assert started.wait(20)

    left = runner.finish(within_s=0.1)
    may_end.set()
    runner.finish()

    assert left == 1
    assert Task.objects.get().status == "pending"
    assert not Lease.objects.filter(ended_at=None).exists()
