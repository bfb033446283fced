"""Bulk writes: what arrives is what was given, on both databases."""

import pytest
from django.db import DatabaseError, transaction

from messaging.models import Event
from platform_site.common.rows import insert_rows, together, update_rows
from tasks.models import Task, TaskClass

pytestmark = pytest.mark.django_db


def make_event(**more) -> Event:
    return Event(**{"type": "a.one", "entity_type": "task", "entity_id": "7", "actor": "a", **more})


@transaction.atomic
def insert_both(event: Event, task_class: TaskClass) -> None:
    with together():
        insert_rows([event], with_keys=False)
        insert_rows([task_class])


def test_columns_that_differ_and_columns_that_do_not_arrive_as_given():
    events = [
        make_event(entity_id="1", data={"n": 1}),
        make_event(entity_id="2", data={"n": True}),
        make_event(entity_id="3", data={"n": None}),
    ]

    insert_rows(events)

    stored = {row.pk: row for row in Event.objects.all()}
    assert [stored[event.pk].entity_id for event in events] == ["1", "2", "3"]
    assert [repr(stored[event.pk].data) for event in events] == [
        "{'n': 1}",
        "{'n': True}",
        "{'n': None}",
    ]
    assert {row.type for row in stored.values()} == {"a.one"}
    assert {row.created_at for row in stored.values()} == {event.created_at for event in events}


def test_rows_that_are_alike_in_everything_are_as_many_as_given():
    insert_rows([make_event(), make_event()])

    assert Event.objects.count() == 2


def test_words_of_an_enumeration_and_plain_words_go_together():
    task_class = TaskClass(key="k")
    tasks = [
        Task(id="1", task_class=task_class, status=Task.Status.PENDING),
        Task(id="2", task_class=task_class, status="scheduled"),
    ]

    with together():
        insert_rows([task_class])
        insert_rows(tasks)

    assert list(Task.objects.order_by("pk").values_list("pk", "status")) == [
        ("1", "pending"),
        ("2", "scheduled"),
    ]


@pytest.mark.postgresql  # SQLite knows no lengths
def test_what_is_too_long_is_refused_and_not_cut():
    with pytest.raises(DatabaseError), transaction.atomic():
        insert_rows([make_event(type="a"), make_event(type="a" * 81)])

    assert not Event.objects.exists()


def test_writes_together_happen_in_their_order():
    with together():
        insert_rows([make_event(), make_event(entity_id="8")], with_keys=False)
        update_rows(Event.objects.filter(entity_id="8"), actor="b")

    assert sorted(Event.objects.values_list("entity_id", "actor")) == [("7", "a"), ("8", "b")]


def test_of_writes_together_all_happen_or_none():
    insert_rows([TaskClass(key="known")])

    with pytest.raises(DatabaseError):
        insert_both(make_event(), TaskClass(key="known"))

    assert not Event.objects.exists()


def test_a_row_that_exists_may_be_left_as_it_is():
    insert_rows([TaskClass(key="known", agent_type="first")])

    insert_rows([TaskClass(key="known"), TaskClass(key="new")], ignore_conflicts=True)

    assert sorted(TaskClass.objects.values_list("key", "agent_type")) == [
        ("known", "first"),
        ("new", ""),
    ]
