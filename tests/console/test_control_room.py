"""The control room tells the truth: each figure is the number of rows behind its link."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ecommerce.agents import AGENTS
from ecommerce.fraud.models import FraudCase
from ecommerce.inventory.models import StockLevel
from ecommerce.orders.models import Order, OrderHold
from registry.services import agent_register
from tasks.models import Task
from tests.factories.anything import make_anything

pytestmark = pytest.mark.django_db

COUNTED = {"orders", "held", "queue", "running", "dead", "fraud", "stock"}


@pytest.fixture
def client(person):
    client = Client()
    client.force_login(person("alice"))
    return client


@pytest.fixture
def business(db):
    """A little of everything: some rows count, some must not."""
    now = timezone.now()
    for status in ("pending", "running", "retrying", "completed", "failed"):
        dead = now if status == "failed" else None
        make_anything(Task, status=status, dead_lettered_at=dead, ready_at=now)
    for released_at in (None, None, now):
        order = make_anything(Order, subtotal=10, total=10)
        make_anything(OrderHold, order=order, released_at=released_at)
    make_anything(FraudCase, status="open")
    make_anything(FraudCase, status="approved")
    make_anything(StockLevel, on_hand=3, reorder_point=5)
    make_anything(StockLevel, on_hand=9, reorder_point=5)


def test_every_figure_is_the_number_of_rows_behind_its_link(client, business):
    figures = client.get("/admin/control-room.json").json()

    rows = {
        key: client.get(tile["url"]).context["cl"].result_count
        for key, tile in figures["tiles"].items()
        if key in COUNTED
    }

    assert {key: int(figures["tiles"][key]["value"]) for key in rows} == rows
    assert rows == {
        "orders": 3,
        "held": 2,
        "queue": 2,
        "running": 1,
        "dead": 1,
        "fraud": 1,
        "stock": 1,
    }


def test_the_page_and_the_script_read_the_same_figures(client, business):
    text = client.get("/admin/").content.decode()
    figures = client.get("/admin/control-room.json").json()

    for key, tile in figures["tiles"].items():
        part = text.split(f'data-tile="{key}"')[1]
        assert f">{tile['value']}</b>" in part[:400], key


def test_the_grid_has_all_27_agents_and_greys_what_is_not_built(client):
    cells = client.get("/admin/control-room.json").json()["agents"]

    assert list(cells) == [spec.slug for spec in AGENTS]
    for spec in AGENTS:
        expected = "not registered" if spec.is_implemented else "not built yet"
        assert cells[spec.slug]["state"] == expected


def test_a_cell_says_how_an_agent_feels_and_what_waits_for_it(client):
    agent_register(agent_id="order_agent_v3", actor="test", max_concurrency=4)
    make_anything(Task, status="pending", agent_id="order_agent_v3")

    cell = client.get("/admin/control-room.json").json()["agents"]["order"]

    assert (cell["state"], cell["load"], cell["queued"]) == ("active", "0/4", 1)


def test_the_figures_need_a_signed_in_person_and_no_post(client):
    assert Client().get("/admin/control-room.json").status_code == 302
    assert client.post("/admin/control-room.json").status_code == 405


def test_a_viewer_without_a_domain_sees_no_tiles_of_it(person):
    client = Client()
    client.force_login(person("bob", role=""))

    assert client.get("/admin/control-room.json").json()["tiles"] == {}


def test_the_control_room_costs_a_fixed_number_of_queries(client, business):
    client.get("/admin/")  # the first reader of a log finds it not yet opened

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/admin/").status_code == 200

    assert len(queries) <= 15, [query["sql"] for query in queries]


def test_personal_data_is_masked_for_whoever_may_not_see_it(person, client):
    order = make_anything(Order, email="jane@example.org", shipping_address={"line1": "1 High St"})
    viewer = Client()
    viewer.force_login(person("viewer", "readonly"))
    page = f"/admin/orders/order/{order.pk}/change/"

    shown, masked = (who.get(page).content.decode() for who in (client, viewer))

    assert "jane@example.org" in shown
    assert "1 High St" in shown
    assert "j***@example.org" in masked
    assert "jane@example.org" not in masked
    assert "1 High St" not in masked
