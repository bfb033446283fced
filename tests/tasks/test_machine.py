"""R12: the lease queue against a model, with every move of the table and every refusal."""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from messaging.models import Event
from platform_site.common.errors import Refusal
from tasks import services
from tasks.models import Attempt, Lease, Task
from tests.factories.registry import make_agent
from tests.factories.tasks import make_task

FULL = os.environ.get("STRESS") == "full"
PAST = timezone.now() - timedelta(days=1)
SLOTS = 2
pytestmark = pytest.mark.django_db
Status = Task.Status


class LeaseQueue(RuleBasedStateMachine):
    """Two agents, a handful of tasks, and everything that may happen to them in any order."""

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.agents = [make_agent(f"w{n}", max_concurrency=SLOTS) for n in range(2)]
        self.expected = {}  # status of each task as the model has it
        self.epochs = {}
        self.fences = []  # every fence that was ever given: (task_id, lease_id, epoch)
        self.completed = {}
        self.moves = 0  # every move of the model writes one event

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def moved(self, task_id, status):
        self.expected[task_id] = status
        self.moves += 1

    def live(self, task_id, epoch):
        return self.expected[task_id] == Status.RUNNING and self.epochs[task_id] == epoch

    @precondition(lambda self: len(self.expected) < 6)
    @rule(priority=st.integers(1, 10))
    def submit(self, priority):
        task = make_task(priority=priority, policy={"max_attempts": 2, "max_deliveries": 2})
        self.moved(task.pk, Status.PENDING)
        self.epochs[task.pk] = 0

    @rule(which=st.integers(0, 1), maximum=st.integers(1, 3))
    def claim(self, which, maximum):
        held = Lease.objects.filter(agent=self.agents[which], ended_at=None).count()
        pending = [key for key, status in self.expected.items() if status == Status.PENDING]

        claim = services.task_claim(self.agents[which], maximum=maximum, actor="test")

        assert len(claim.tasks) == min(maximum, SLOTS - held, len(pending))
        for item in claim.tasks:
            key = item.task.pk
            assert self.expected[key] == Status.PENDING
            self.epochs[key] += 1
            assert item.lease_epoch == self.epochs[key]
            self.fences.append((key, item.lease_id, item.lease_epoch))
            self.moved(key, Status.RUNNING)

    @precondition(lambda self: self.fences)
    @rule(data=st.data(), result=st.integers())
    def complete(self, data, result):
        key, lease_id, epoch = data.draw(st.sampled_from(self.fences))
        lease = Lease.objects.get(pk=lease_id)
        was_lost = lease.outcome in ("lost", "revoked")
        is_late = was_lost and self.epochs[key] == epoch
        is_late = is_late and self.expected[key] in (Status.PENDING, Status.RETRYING)
        orphans = lease.task.orphans.count()
        try:
            answer = services.task_complete(
                lease.task, lease_id=lease_id, lease_epoch=epoch, result=result, actor="test"
            )
        except Refusal as refusal:
            assert not self.live(key, epoch)
            assert not is_late
            said = refusal.facts["current_epoch"]
            assert said == self.epochs[key]
            self.moves += lease.task.orphans.count() - orphans
        else:
            if self.live(key, epoch) or is_late:
                assert answer["late"] is is_late
                self.completed[key] = result
                self.moved(key, Status.COMPLETED)
            else:  # a repetition of the call that completed it
                assert self.expected[key] == Status.COMPLETED

    @precondition(lambda self: self.fences)
    @rule(data=st.data(), verb=st.sampled_from(["fail", "release", "wait"]))
    def give_back(self, data, verb):
        key, lease_id, epoch = data.draw(st.sampled_from(self.fences))
        task = Task.objects.get(pk=key)
        service = {
            "fail": services.task_fail,
            "release": services.task_release,
            "wait": services.task_wait,
        }[verb]
        error = {"type": "E", "message": "no"}
        more = {"fail": {"error": error}, "wait": {"reason": "input"}}.get(verb, {})
        before = Lease.objects.get(pk=lease_id)
        try:
            answer = service(task, lease_id=lease_id, lease_epoch=epoch, actor="test", **more)
        except Refusal:
            assert not self.live(key, epoch)
            return
        if before.ended_at is None:
            usual = {
                "fail": Status.FAILED if task.failures == 1 else Status.RETRYING,
                "release": Status.PENDING,
                "wait": Status.WAITING,
            }[verb]
            expected = Status.CANCELLED if task.cancel_requested_at else usual
            assert answer["status"] == expected
            self.moved(key, expected)

    @rule()
    def time_passes_for_leases(self):
        losing = list(Lease.objects.filter(ended_at=None).select_related("task"))
        Lease.objects.filter(ended_at=None).update(expires_at=PAST)

        assert services.leases_reap() == len(losing)

        for lease in losing:
            dead = lease.task.lease_losses == 1
            usual = Status.FAILED if dead else Status.RETRYING
            cancelled = lease.task.cancel_requested_at is not None
            self.moved(lease.task_id, Status.CANCELLED if cancelled else usual)

    @rule()
    def time_passes_for_retries(self):
        Task.objects.filter(status=Status.RETRYING).update(due_at=PAST)
        due = [key for key, status in self.expected.items() if status == Status.RETRYING]

        assert services.due_tasks_ready() == len(due)

        for key in due:
            self.moved(key, Status.PENDING)

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def cancel(self, data):
        key = data.draw(st.sampled_from(sorted(self.expected)))
        task = Task.objects.get(pk=key)
        if self.expected[key] == Status.RUNNING:
            services.task_cancel(task, actor="test")
            self.moves += task.cancel_requested_at is None
        else:
            self._operate(services.task_cancel, task, Status.CANCELLED)

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), verb=st.sampled_from(["redrive", "answer", "retry_now"]))
    def operate(self, data, verb):
        key = data.draw(st.sampled_from(sorted(self.expected)))
        task = Task.objects.get(pk=key)
        sources = {
            "redrive": (Status.FAILED, Status.EXPIRED, Status.CANCELLED),
            "answer": (Status.WAITING,),
            "retry_now": (Status.RETRYING,),
        }[verb]
        service = getattr(services, f"task_{verb}")
        more = {"answer": 1} if verb == "answer" else {}
        try:
            service(task, actor="test", **more)
        except Refusal as refusal:
            assert self.expected[key] not in sources
            said = refusal.code
            assert said == "illegal_transition"
        else:
            assert self.expected[key] in sources
            self.moved(key, Status.PENDING)

    def _operate(self, service, task, status):
        try:
            service(task, actor="test")
        except Refusal as refusal:
            assert status not in Task.TRANSITIONS[self.expected[task.pk]]
            said = refusal.facts["from"]
            assert said == self.expected[task.pk]
        else:
            assert status in Task.TRANSITIONS[self.expected[task.pk]]
            self.moved(task.pk, status)

    @invariant()
    def the_table_is_as_the_model_has_it(self):
        tasks = {task.pk: task for task in Task.objects.all()}
        assert {key: task.status for key, task in tasks.items()} == self.expected
        assert {key: tasks[key].result for key in self.completed} == self.completed

    @invariant()
    def what_runs_has_one_live_lease_and_nothing_else_has_one(self):
        live = list(Lease.objects.filter(ended_at=None).values_list("task", flat=True))
        running = [key for key, status in self.expected.items() if status == Status.RUNNING]
        assert sorted(live) == sorted(running)
        open_attempts = Attempt.objects.filter(outcome="running").values_list("task", flat=True)
        assert sorted(open_attempts) == sorted(running)

    @invariant()
    def no_agent_holds_more_than_it_has_slots(self):
        for agent in self.agents:
            assert Lease.objects.filter(agent=agent, ended_at=None).count() <= SLOTS

    @invariant()
    def every_move_wrote_one_event(self):
        assert Event.objects.filter(entity_type="task").count() == self.moves


SETTINGS = settings(
    max_examples=2000 if FULL else 15,
    stateful_step_count=60 if FULL else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=not FULL,
)


def test_the_lease_queue_does_as_its_model_whatever_happens_in_whatever_order():
    run_state_machine_as_test(LeaseQueue, settings=SETTINGS)
