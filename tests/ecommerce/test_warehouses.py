"""Warehouses, and picks on floors with and without people."""

import pytest

from ecommerce.warehouses import first_run, services
from ecommerce.warehouses.models import Pack, PickRequest, Warehouse
from messaging.models import Event
from platform_site.common.errors import Invalid, StaleState, TransitionNotAllowed
from tests.factories.products import make_product
from tests.factories.warehouses import make_pick, make_warehouse

pytestmark = pytest.mark.django_db


def happened():
    rows = Event.objects.filter(entity_type="pickrequest").order_by("pk")
    return list(rows.values_list("type", flat=True))


def test_warehouses_are_listed_with_what_lies_in_them(api):
    london = make_warehouse("LON", city="London")
    make_product(warehouse_inventory=[{"warehouse_id": london.pk, "quantity": 3}])

    row = api.get("/api/warehouses").json()["warehouses"][0]

    assert (row["code"], row["city"], row["inventory_items"]) == ("LON", "London", 1)
    assert row["current_utilization"] is None
    assert api.get(f"/api/warehouses/{london.pk}").json() == row
    assert api.get("/api/warehouses/lon").json() == row
    assert api.get("/api/warehouses/99").status_code == 404


def test_an_automatic_floor_picks_and_packs_by_itself(run_agents):
    pick = make_pick(lines=[("85123A", 4), ("71053", 2), ("85123A", 1)])

    run_agents()

    pick.refresh_from_db()
    assert pick.status == "packed"
    assert sorted(pick.lines.values_list("sku", "quantity", "picked")) == [
        ("71053", 2, 2),
        ("85123A", 5, 5),
    ]
    assert happened() == ["pick.requested", "pick.planned", "pick.completed", "pack.completed"]
    facts = {"subject": "orders.fulfillment:9", "order_number": "ORD-000007"}
    assert Event.objects.get(type="pack.completed").data == {**facts, "weight_g": None}


def test_on_a_floor_with_people_the_agent_only_plans(run_agents):
    pick = make_pick(warehouse=make_warehouse("HAND", automation="manual"))

    run_agents()

    pick.refresh_from_db()
    assert pick.status == "planned"
    services.pick_complete(pick, actor="alice")
    run_agents()
    pick.refresh_from_db()
    assert pick.status == "picked"
    services.pack_complete(pick, weight_g=1250, actor="alice")
    assert Pack.objects.get().weight_g == 1250


def test_the_same_subject_is_asked_for_once():
    first, again = make_pick(), make_pick(lines=[("OTHER", 9)])

    assert first.pk == again.pk
    assert list(first.lines.values_list("sku", flat=True)) == ["71053", "85123A"]
    assert happened() == ["pick.requested"]


@pytest.mark.parametrize("lines", [[], [("85123A", 0)], [("85123A", -1)]])
def test_nothing_or_less_cannot_be_picked(lines):
    with pytest.raises(Invalid):
        make_pick(lines=lines)

    assert not PickRequest.objects.exists()


def test_a_short_pick_says_what_is_missing():
    pick = services.pick_plan(make_pick(), actor="alice")

    services.pick_short(pick, picked={"85123A": 3, "71053": 2}, actor="alice")

    assert pick.status == "short"
    assert Event.objects.get(type="pick.short").data["missing"] == {"85123A": 1}


@pytest.mark.parametrize(
    "picked", [{"85123A": 5}, {"OTHER": 1}, {"85123A": 4, "71053": 2}, {"85123A": -1}]
)
def test_a_short_pick_of_too_much_or_of_everything_is_refused(picked):
    pick = services.pick_plan(make_pick(), actor="alice")

    with pytest.raises(Invalid):
        services.pick_short(pick, picked=picked, actor="alice")

    assert PickRequest.objects.get().status == "planned"


def test_of_two_pickers_one_wins():
    pick = services.pick_plan(make_pick(), actor="alice")
    same_pick = PickRequest.objects.get()
    services.pick_complete(pick, actor="alice")

    with pytest.raises(StaleState):
        services.pick_complete(same_pick, actor="carol")

    assert happened().count("pick.completed") == 1


def test_a_cancelled_pick_is_put_back_once(run_agents):
    manual = make_warehouse("HAND", automation="manual")
    pick = services.pick_plan(make_pick(warehouse=manual), actor="alice")
    services.pick_short(pick, picked={"85123A": 3}, actor="alice")

    services.pick_cancel(subject=pick.subject, actor="alice")
    again = services.pick_cancel(subject=pick.subject, actor="alice")
    run_agents()

    assert again is None
    pick.refresh_from_db()
    assert (pick.status, pick.put_back_at) == ("cancelled", None)
    assert Event.objects.get(type="pick.cancelled").data["put_back"] == {"85123A": 3}
    services.pick_put_back(pick, actor="alice")
    services.pick_put_back(pick, actor="alice")
    assert happened().count("pick.put_back") == 1


def test_a_packed_parcel_of_a_cancelled_request_is_unpacked_by_the_automatic_floor(run_agents):
    pick = make_pick()
    run_agents()

    services.pick_cancel(subject=pick.subject, actor="alice")
    run_agents()

    pick.refresh_from_db()
    assert pick.status == "packed"
    assert pick.cancelled_at is not None
    assert pick.put_back_at is not None


def test_a_pick_cancelled_before_the_agents_came_is_left_alone(run_agents):
    pick = make_pick()
    services.pick_cancel(subject=pick.subject, actor="alice")

    run_agents()

    pick.refresh_from_db()
    assert pick.status == "cancelled"
    with pytest.raises(TransitionNotAllowed):
        services.pick_complete(pick, actor="alice")


def test_the_first_run_makes_one_automatic_warehouse():
    first_run.ensure(actor="test")
    first_run.ensure(actor="test")

    warehouse = Warehouse.objects.get()
    assert (warehouse.code, warehouse.automation) == ("MAIN", "auto")
