"""The table of statuses: rows 1 to 9, in SQL and in Python."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from registry import ports
from registry.discovery import registered
from registry.models import Agent, Presence
from registry.status import REPORTABLE, Facts, facts_of, status_from, with_status
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db

LATER, EARLIER = timedelta(hours=1), timedelta(hours=-1)


@pytest.mark.parametrize(
    ("row", "status", "given"),
    [
        (1, "inactive", {"overlay": "disabled"}),
        (1, "inactive", {"overlay": "disabled", "reported": "error"}),
        (2, "maintenance", {"overlay": "maintenance", "until": LATER}),
        (2, "maintenance", {"overlay": "maintenance", "until": LATER, "silent_s": 500}),
        (3, "inactive", {"silent_s": 181}),
        (3, "inactive", {"silent_s": 181, "reported": "error"}),
        (4, "stale", {"silent_s": 61}),
        (4, "stale", {"silent_s": 179, "reported": "busy"}),
        (4, "active", {"silent_s": 58}),
        (4, "active", {"silent_s": 100, "ttl_s": 120}),
        (5, "error", {"reported": "error"}),
        (6, "maintenance", {"reported": "maintenance"}),
        (6, "inactive", {"reported": "inactive"}),
        (6, "stale", {"reported": "stale"}),
        (7, "degraded", {"reported": "degraded"}),
        (8, "busy", {"reported": "busy"}),
        (9, "active", {}),
        (9, "active", {"overlay": "maintenance", "until": EARLIER}),
        (9, "active", {"overlay": "draining"}),
        (9, "active", {"overlay": "cordoned"}),
    ],
)
def test_the_first_match_wins(row, status, given):
    until = given.pop("until", None)
    make_agent(**given, overlay_until=timezone.now() + until if until else None)

    agent = with_status(registered()).get()

    assert agent.computed_status == status
    assert status_from(facts_of(agent)) == status


def test_an_agent_that_was_never_heard_is_inactive():
    agent = make_agent()
    Presence.objects.filter(agent=agent).update(last_seen_at=None)

    assert with_status(registered()).get().computed_status == "inactive"


def test_a_full_agent_is_busy():
    assert status_from(Facts("", 0.0, "active", 0)) == "busy"
    assert status_from(Facts("", 0.0, "degraded", 0)) == "degraded"
    assert status_from(Facts("", 0.0, "active", 1)) == "active"


def test_sql_and_python_agree_on_every_combination():
    now = timezone.now()
    cases = list(product(Agent.Overlay.values, (EARLIER, LATER), (1, 90, 500), REPORTABLE))
    agents = Agent.objects.bulk_create(
        Agent(agent_id=f"a-{number}", name="a", overlay=overlay, overlay_until=now + until)
        for number, (overlay, until, _, _) in enumerate(cases)
    )
    Presence.objects.bulk_create(
        Presence(agent=agent, last_seen_at=now - timedelta(seconds=silent), reported_status=word)
        for agent, (_, _, silent, word) in zip(agents, cases, strict=True)
    )

    rows = list(with_status(registered()))

    assert len(rows) == len(cases) == 210
    assert [row.computed_status for row in rows] == [status_from(facts_of(row)) for row in rows]
    assert len({row.computed_status for row in rows}) == 7


def test_live_leases_are_counted_by_the_layer_above():
    agent = make_agent()

    assert ports.in_flight([agent.pk]).get(agent.pk, 0) == 0
    assert with_status(registered()).get().in_flight == 0
