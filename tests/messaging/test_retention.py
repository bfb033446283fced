"""Engine events go after 30 days and raise the trim horizon; audit stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.cursor import head
from messaging.models import Event, EventLog
from messaging.retention import events_trim
from tasks.agent import retention
from tasks.fanout import fan_out
from tests.factories.messaging import make_event

pytestmark = pytest.mark.django_db


def test_old_engine_events_are_removed_and_orders_and_security_stay(api):
    names = ("task.submitted", "order.placed", "security.denied", "task.completed", "task.failed")
    rows = [make_event(name) for name in names]
    old = timezone.now() - timedelta(days=31)
    Event.objects.filter(pk__in=[row.pk for row in rows[:4]]).update(created_at=old)

    assert events_trim(read_up_to=head().seq) == 2

    kept = Event.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    assert [row.type for row in kept] == ["order.placed", "security.denied", "task.failed"]
    assert EventLog.objects.get().trimmed_seq == rows[3].seq
    expired = api.get(f"/api/v1/events?since={head().epoch}:{rows[0].seq}&wait=0")
    assert expired.status_code == 410
    assert expired.json()["oldest"] == f"{head().epoch}:{rows[3].seq}"
    resumed = api.get("/api/v1/events?since=oldest&wait=0&types=task.*")
    assert [event["id"] for event in resumed.json()["events"]] == [rows[4].pk]


def test_nothing_old_changes_nothing():
    make_event()

    assert events_trim(read_up_to=head().seq) == 0
    assert EventLog.objects.get().trimmed_seq == 0


def test_an_old_event_stays_until_tasks_were_made_of_it():
    row = make_event()
    Event.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=31))

    retention()
    assert Event.objects.filter(pk=row.pk).exists()

    fan_out()
    retention()
    assert not Event.objects.filter(pk=row.pk).exists()
