"""Events become tasks: each event one task for each reaction, exactly once."""

import pytest

from messaging.models import Event
from messaging.sequencer import number_events
from platform_site.common.context import tracing
from tasks.fanout import fan_out
from tasks.handlers import handles, job
from tasks.models import Consumer, Task

pytestmark = pytest.mark.django_db


def test_an_event_becomes_one_task_for_each_reaction(reaction, happen):
    def first(event, *, actor):
        """Look at it."""

    def second(event, *, actor):
        """Look again."""

    reaction(first)
    reaction(second)
    event = happen(n=7)
    number_events()

    made = fan_out()

    assert made == 2
    tasks = Task.objects.order_by("task_type")
    assert [task.task_type for task in tasks] == ["fraud.first", "fraud.second"]
    assert {task.agent_id for task in tasks} == {"fraud_detection_agent_v3"}
    assert tasks[0].payload["data"] == {"n": 7}
    assert tasks[0].payload["id"] == event.pk
    assert tasks[0].description == "test.happened: Look at it."


def test_an_event_that_was_fanned_out_makes_no_second_task(reaction, happen):
    reaction(lambda_named("look"))
    happen()
    number_events()
    fan_out()

    assert fan_out() == 0
    assert Task.objects.count() == 1


def test_a_fan_out_that_is_repeated_from_an_older_place_makes_no_second_task(reaction, happen):
    reaction(lambda_named("look"))
    happen()
    number_events()
    fan_out()
    Consumer.objects.update(seq=0)

    fan_out()

    assert Task.objects.count() == 1


def test_an_event_without_a_number_waits(reaction, happen):
    reaction(lambda_named("look"))
    happen()
    Event.objects.update(seq=None)
    Consumer.objects.all().delete()

    assert fan_out() == 0
    assert not Task.objects.exists()


def test_a_mistake_in_the_middle_of_a_batch_makes_nothing_and_moves_nothing(
    reaction, happen, settings
):
    happen()
    fan_out()
    reaction(lambda_named("look"))
    reaction(lambda_named("leave"), package="carriers")
    settings.AGENT_IDS = settings.AGENT_IDS | {"carriers": object()}  # no id at all
    place = Consumer.objects.get().seq
    happen()
    number_events()

    with pytest.raises(TypeError):
        fan_out()

    assert not Task.objects.exists()
    assert Consumer.objects.get().seq == place


def test_an_idle_fan_out_only_reads(reaction, happen, django_assert_num_queries):
    reaction(lambda_named("look"))
    happen()
    number_events()
    fan_out()
    number_events()
    fan_out()

    with django_assert_num_queries(2):
        assert fan_out() == 0


def test_agents_that_set_each_other_off_end_in_a_rejected_task(reaction, happen, run_agents):
    def echo(event, *, actor):
        happen()

    reaction(echo)
    happen()

    run_agents()

    assert Task.objects.filter(status="completed").count() == 17
    rejected = Task.objects.get(status="rejected")
    assert rejected.error["type"] == "causation_loop"


def test_what_a_reaction_causes_carries_its_trace_and_its_cause(reaction, happen, run_agents):
    def pass_on(event, *, actor):
        happen("test.passed_on")

    reaction(pass_on)
    with tracing("trace-of-the-request"):
        happen()

    run_agents()

    task = Task.objects.get()
    passed_on = Event.objects.get(type="test.passed_on")
    assert task.trace_id == passed_on.trace_id == "trace-of-the-request"
    assert passed_on.causation_id == f"task:{task.pk}"
    assert passed_on.causation_depth == 1


def test_two_handlers_of_one_name_are_refused(reaction):
    reaction(lambda_named("look"))

    with pytest.raises(LookupError, match=r"fraud\.look is declared twice"):
        reaction(lambda_named("look"))


def test_an_old_name_may_be_kept_when_a_function_is_renamed(reaction):
    function = lambda_named("renamed")
    function.__module__ = "ecommerce.fraud.agent"

    handles(on="test.happened", name="fraud.old_name")(function)

    with pytest.raises(LookupError):
        job("fraud.old_name")(lambda_named("another"))


def lambda_named(name):
    def function(event, *, actor):
        return {}

    function.__name__ = name
    function.__module__ = "ecommerce.fraud.agent"
    return function
