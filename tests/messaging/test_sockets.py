"""Frames of `/api/v1/ws/{client_id}` and of the dashboards' stream."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import transaction

from messaging import connections
from messaging.cursor import head
from messaging.events import emit_many
from messaging.models import Event, EventLog
from messaging.streams import socket as socket_module
from messaging.streams.dashboard import SNAPSHOT_NAMES
from tests.factories.messaging import make_event
from tests.factories.tasks import make_task
from tests.messaging.conftest import Client

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/v1/ws/client-123"
happen = sync_to_async(make_event)
place = sync_to_async(head)


async def test_a_subscription_is_confirmed_with_the_place_where_it_begins(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    here = str(await place())

    confirmed = await client.ask(
        {"type": "subscribe", "subscriptions": ["agent_activity", "task_activity"]}
    )

    assert confirmed.pop("timestamp").endswith("+00:00")
    assert confirmed == {
        "type": "subscription_confirmed",
        "subscriptions": ["agent_activity", "task_activity"],
        "data": {
            "subscriptions": ["agent_activity", "task_activity"],
            "active": ["agent_activity", "task_activity"],
        },
        "cursor": here,
    }


async def test_an_event_arrives_under_the_name_that_was_subscribed(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    names = ["task.*", "task_activity", "agent_registered", "order.placed", "resource.*"]
    await client.ask({"type": "subscribe", "subscriptions": names})

    event = await happen("task.completed", entity_id="42", result="good")
    told = await client.told()
    assert told["type"] == "task_activity"
    assert told["cursor"] == f"{event.epoch}:{event.seq}"
    facts = {"event": "task_completed", "task_id": "42", "result": "good", "actor": "test"}
    assert facts.items() <= told["data"].items()

    for name, word in [
        ("agent.registered", "agent_registered"),
        ("order.placed", "order.placed"),
        ("resource.added", "resource.*"),
    ]:
        await happen(name)
        assert (await client.told())["type"] == word


async def test_before_the_first_subscribe_the_four_events_of_old_are_told(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    assert (await client.ask({"type": "ping"}))["type"] == "pong"

    for name in ("task.completed", "agent.registered", "task.submitted", "conflict.opened"):
        await happen(name)

    told = [(await client.told())["type"] for _ in range(3)]
    assert told == ["agent_registered", "task_submitted", "conflict_reported"]


async def test_since_replays_and_goes_on_live_without_gap_or_double(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    since = str(await place())
    before = [await happen(number=number) for number in range(3)]

    await client.ask({"type": "subscribe", "subscriptions": ["task.completed"], "since": since})
    after = [await happen(number=number) for number in range(3)]

    told = [(await client.told())["data"]["seq"] for _ in range(6)]
    assert told == [event.seq for event in before + after]


async def test_a_reader_far_behind_pages_through_the_log(key, sockets):
    def fill() -> None:
        with transaction.atomic():
            emit_many("task.failed", [(Group(pk=1), {"n": n}) for n in range(1500)], actor="test")

    client = await sockets(ADDRESS, await sync_to_async(key)())
    since = str(await place())
    await sync_to_async(fill)()

    await client.ask({"type": "subscribe", "subscriptions": ["task.failed"], "since": since})

    assert [(await client.told())["data"]["n"] for _ in range(1500)] == list(range(1500))


async def test_unsubscribe_ends_what_it_names(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    await client.ask({"type": "subscribe", "subscriptions": ["task.*", "agent.*"]})
    answer = await client.ask({"type": "unsubscribe", "subscriptions": ["task.*"]})
    assert answer["type"] == "unsubscription_confirmed"
    assert answer["data"]["active"] == ["agent.*"]

    await happen("task.completed")
    await happen("agent.registered")

    assert (await client.told())["data"]["event"] == "agent_registered"


async def test_a_filter_takes_one_entity(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    wanted = {"type": "subscribe", "subscriptions": ["task.*"], "filter": {"entity": "task:2"}}
    await client.ask(wanted)

    await happen(entity_id="1")
    await happen(entity_id="2")

    assert (await client.told())["data"]["task_id"] == "2"


@pytest.mark.parametrize("since", ["other:7", "{epoch}:99"])
async def test_an_expired_cursor_asks_for_a_resync(key, sockets, since):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    here = await place()
    wanted = {"type": "subscribe", "subscriptions": ["task.*"]}

    answer = await client.ask({**wanted, "since": since.format(epoch=here.epoch)})

    assert answer["type"] == "resync_required"
    assert answer["latest"] == str(here)
    assert (await client.ask(wanted))["type"] == "subscription_confirmed"


async def test_a_log_that_begins_anew_asks_open_sockets_to_resync(key, sockets):
    @transaction.atomic
    def truncate() -> None:
        EventLog.objects.all().delete()
        Event.objects.all().delete()
        make_event()

    client = await sockets(ADDRESS, await sync_to_async(key)())
    await client.ask({"type": "subscribe", "subscriptions": ["task.*"]})

    await sync_to_async(truncate)()

    told = await client.told()
    assert told["type"] == "resync_required"
    assert told["data"]["cursor"] == str(await place())


WRONG = [
    [],
    "text",
    {},
    {"type": "dance"},
    {"type": "subscribe", "subscriptions": "task.*"},
    {"type": "subscribe", "subscriptions": [7, None]},
    {"type": "subscribe", "subscriptions": ["x" * 81]},
    {"type": "subscribe", "subscriptions": ["x"] * 101},
    {"type": "subscribe", "subscriptions": ["task.*"], "filter": "task"},
    {"type": "subscribe", "subscriptions": ["a\0b"]},
]


async def test_a_wrong_frame_is_answered_with_an_error_and_the_socket_stays_open(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)())
    for frame in WRONG:
        answer = await client.ask(frame)
        assert answer["type"] == "error", frame
        assert answer["detail"]
        assert answer["data"]["detail"] == answer["detail"]

    assert (await client.ask({"type": "ping"}))["type"] == "pong"


async def test_security_events_are_refused_at_subscribe_and_never_sent(key, sockets):
    client = await sockets(ADDRESS, await sync_to_async(key)("readonly"))
    answer = await client.ask({"type": "subscribe", "subscriptions": ["security.*"]})
    assert answer["type"] == "error"
    assert answer["data"]["required"] == "security:audit"

    await client.ask({"type": "subscribe", "subscriptions": ["*"]})
    await happen("security.denied")
    await happen("task.completed")

    assert (await client.told())["data"]["event"] == "task_completed"


async def test_figures_are_measured_and_carry_no_cursor(key, sockets, monkeypatch):
    monkeypatch.setattr("messaging.streams.tail.SNAPSHOT_EVERY_S", 0.2)
    monkeypatch.setattr("messaging.metrics.FRESH_S", 0.0)
    client = await sockets(ADDRESS, await sync_to_async(key)())
    await sync_to_async(make_task)()
    await client.ask({"type": "subscribe", "subscriptions": ["system_metrics"]})

    told = await client.told()
    while told["data"]["queue_depth"] == 0:  # measured before the task was submitted
        told = await client.told()

    assert told["type"] == "system_metrics"
    assert "cursor" not in told
    assert 0 <= told["data"]["cpu_usage"] <= 100
    assert 0 < told["data"]["memory_usage"] < 100
    assert told["data"]["websocket_connections"] == 1
    assert told["data"]["queue_depth"] == 1
    assert told["data"]["live_leases"] == told["data"]["completed_per_minute"] == 0
    assert told["data"]["load_balancer_stats"]["total_assignments"] == 0


async def test_a_quiet_socket_gets_bookmarks_that_tell_the_head(key, sockets, monkeypatch):
    monkeypatch.setattr(socket_module, "BOOKMARK_EVERY_S", 0.2)
    client = await sockets(ADDRESS, await sync_to_async(key)())
    await client.ask({"type": "subscribe", "subscriptions": ["task.*"]})
    await happen("agent.registered")
    here = str(await place())

    cursors = []
    while here not in cursors:
        told = await client.told()
        assert told["type"] == "bookmark"
        cursors.append(told["cursor"])

    assert told["head"] == here


async def test_a_client_that_reads_nothing_is_closed_with_4408(key, monkeypatch):
    monkeypatch.setattr(socket_module, "STALLED_AFTER_S", 0.2)
    sent: list[dict] = []
    asked = asyncio.Queue()
    await asked.put({"type": "websocket.connect"})

    async def send(message: dict) -> None:
        sent.append(message)
        if message["type"] == "websocket.send":
            await asyncio.sleep(60)  # nobody takes it

    secret = await sync_to_async(key)()
    client = Client(ADDRESS, secret)
    await asked.put({"type": "websocket.receive", "text": '{"type": "ping"}'})
    await asyncio.wait_for(client.application(client.scope, asked.get, send), 5)

    assert sent[-1]["type"] == "websocket.close"
    assert sent[-1]["code"] == 4408


async def test_open_sockets_are_counted(key, sockets):
    before = connections.count()
    secret = await sync_to_async(key)()
    clients = [await sockets(ADDRESS, secret) for _ in range(2)]  # one client_id, two sockets
    for client in clients:
        await client.ask({"type": "ping"})
    assert connections.count() == before + 2

    await clients[0].disconnect()

    assert connections.count() == before + 1


@pytest.mark.parametrize("address", ["/ws", "/api/ws"])
async def test_a_dashboard_gets_its_fields_flat_and_under_data_and_payload(key, sockets, address):
    client = await sockets(address, await sync_to_async(key)())
    hello = await client.ask({"type": "connection", "client_type": "dashboard"})
    assert hello["type"] == "connection_established"
    assert hello["cursor"] == str(await place())

    await happen("task.completed")  # shown on no dashboard
    await happen("order.placed", entity_type="order", entity_id="7", status="pending")
    await happen("order.confirmed", entity_type="order", entity_id="7", status="confirmed")
    await happen(
        "stock.low", entity_type="stocklevel", product_id=3, product_name="Mug", quantity=1
    )
    await happen("agent.status_changed", entity_type="agent", entity_id="a1", status="busy")

    told = []
    while len(told) < 4:
        frame = await client.told()
        if frame["type"] not in SNAPSHOT_NAMES:
            told.append(frame)
    assert [frame["type"] for frame in told] == [
        "order:created",
        "order:updated",
        "inventory:low",
        "agent:status",
    ]
    assert (
        told[0]["order_id"] == told[0]["data"]["order_id"] == told[0]["payload"]["order_id"] == "7"
    )
    assert told[0]["status"] == "pending"
    assert (told[2]["product_name"], told[2]["quantity"]) == ("Mug", 1)
    assert (told[3]["agent_id"], told[3]["status"]) == ("a1", "busy")
