"""`GET /api/v1/events`: cursors, filters, who sees what."""

import pytest

from messaging.cursor import head
from messaging.longpoll import HEADER
from messaging.sequencer import number_events
from tests.factories.messaging import make_event

pytestmark = pytest.mark.django_db
URL = "/api/v1/events"


@pytest.fixture
def api(api):
    number_events()  # that alice's key was issued is an event too
    return api


def types_of(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [event["type"] for event in response.json()["events"]]


def test_without_a_cursor_the_answer_says_where_to_begin(api):
    make_event()

    answer = api.get(URL)

    assert answer.json() == {"events": [], "cursor": str(head())}
    assert HEADER not in answer.headers


def test_a_reader_goes_on_page_by_page_without_gap_or_double(api):
    start = api.get(URL).json()["cursor"]
    made = [make_event(number=number) for number in range(5)]

    found, cursor = [], start
    for _ in range(4):
        page = api.get(URL, {"since": cursor, "limit": 2, "wait": 0}).json()
        found += [event["id"] for event in page["events"]]
        cursor = page["cursor"]

    assert found == [event.pk for event in made]
    assert cursor == str(head())


def test_an_event_is_told_whole(api):
    start = str(head())
    event = make_event("task.completed", entity_id="42", result="good")

    told = api.get(URL, {"since": start, "wait": 0}).json()["events"]

    assert len(told) == 1
    assert told[0]["created_at"].endswith("+00:00")
    del told[0]["created_at"]
    assert told[0] == {
        "id": event.pk,
        "type": "task.completed",
        "seq": event.seq,
        "cursor": f"{event.epoch}:{event.seq}",
        "entity_type": "task",
        "entity_id": "42",
        "entity_version": 0,
        "actor": "test",
        "trace_id": "",
        "causation_id": "",
        "data": {"result": "good"},
    }


@pytest.mark.parametrize(
    ("types", "found"),
    [
        ("task_activity", ["task.completed"]),
        ("agent_activity,task_activity", ["agent.registered", "task.completed"]),
        ("agent.*", ["agent.registered"]),
        ("agent_registered", ["agent.registered"]),
        ("agent.registered", ["agent.registered"]),
        ("conflict_reported", ["conflict.opened"]),
        ("conflict_alerts", ["conflict.opened"]),
        ("nothing.known", []),
    ],
)
def test_types_takes_topics_events_and_prefixes(api, types, found):
    start = str(head())
    for name in ("agent.registered", "task.completed", "conflict.opened", "resource.registered"):
        make_event(name)

    assert types_of(api.get(URL, {"since": start, "types": types, "wait": 0})) == found


def test_a_filtered_reader_moves_on_with_the_log(api):
    start = str(head())
    make_event("agent.registered")

    answer = api.get(URL, {"since": start, "types": "task.*", "wait": 0}).json()

    assert answer == {"events": [], "cursor": str(head())}


def test_entity_takes_one_row(api):
    start = str(head())
    make_event("task.submitted", entity_id="1")
    make_event("task.completed", entity_id="2")

    found = api.get(URL, {"since": start, "entity": "task:2", "wait": 0})

    assert types_of(found) == ["task.completed"]


@pytest.mark.parametrize("cursor", ["other:1", "{epoch}:999", "{epoch}:-1", "{epoch}:x", "junk"])
def test_a_cursor_of_elsewhere_is_gone_and_says_where_to_begin(api, cursor):
    make_event()
    place = head()

    answer = api.get(URL, {"since": cursor.format(epoch=place.epoch), "types": "agent_activity"})

    assert answer.status_code == 410
    assert answer.json() == {
        "detail": "This cursor is not in the log any more; read the present state and begin at"
        " `latest`.",
        "code": "cursor_expired",
        "oldest": f"{place.epoch}:0",
        "latest": str(place),
        "snapshot_url": "/api/v1/agents",
    }


def test_a_reader_that_found_nothing_is_asked_again(api):
    here = str(head())
    place = f"since={head().epoch}%3A{head().seq}"

    assert api.get(URL, {"since": here}).headers[HEADER] == f"events;30;{place}"
    assert api.get(URL, {"since": here, "wait": 900}).headers[HEADER] == f"events;60;{place}"
    assert api.get(URL, {"wait": 5}).headers[HEADER] == f"events;5;{place}"
    assert HEADER not in api.get(URL, {"since": here, "wait": 0}).headers


@pytest.mark.parametrize("query", [{"wait": -1}, {"wait": "x"}, {"limit": 0}, {"since": "x" * 41}])
def test_a_query_of_the_wrong_shape_is_422(api, query):
    assert api.get(URL, query).status_code == 422


def test_security_events_leave_only_for_auditors(api, client_as):
    make_event("security.denied")
    make_event("task.completed")

    assert "security.denied" in types_of(api.get(URL, {"since": "oldest", "wait": 0}))
    for role in ("readonly", "user", "api_user"):
        client = client_as(role)
        found = types_of(client.get(URL, {"since": "oldest", "wait": 0}))
        assert "task.completed" in found
        assert not [name for name in found if name.startswith("security.")]


def test_events_of_a_domain_need_its_view(client_as):
    make_event("order.placed", entity_type="order")
    make_event("task.completed")
    agent = client_as("agent", agent_id="hermes")  # a domain only where its scopes name it

    assert types_of(agent.get(URL, {"since": "oldest", "wait": 0})) == ["task.completed"]
    viewer = client_as("readonly")
    assert "order.placed" in types_of(viewer.get(URL, {"since": "oldest", "wait": 0}))


def test_without_a_credential_nothing_is_told(stranger):
    assert stranger.get(URL).status_code == 401
    assert stranger.get(f"{URL}/stream").status_code == 401
