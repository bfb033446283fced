"""Stock: promised once, moved by the ledger, right to the unit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ecommerce.inventory.agent import expire_reservations
from ecommerce.inventory.allocation import Shelf, Shortage, allocate
from ecommerce.inventory.models import MovementKept, Reservation, StockLevel, StockMovement
from ecommerce.inventory.reconcile import differences
from ecommerce.inventory.refusals import NotReserved, OutOfStock
from ecommerce.inventory.services import (
    stock_adjust,
    stock_count,
    stock_firm,
    stock_receive,
    stock_release,
    stock_reserve,
    stock_ship,
)
from messaging.models import Event
from platform_site.common.errors import Invalid
from tests.factories.inventory import make_stock, make_variant, make_warehouse

pytestmark = pytest.mark.django_db

ORDER = "orders.order:1"


def soon():
    return timezone.now() + timedelta(minutes=30)


def reserve(*lines, subject=ORDER, expires_at=None):
    return stock_reserve(subject=subject, lines=lines, expires_at=expires_at, actor="orders")


def figures(level):
    level = StockLevel.objects.get(pk=level.pk)
    return level.on_hand, level.reserved


def test_reserved_units_are_promised_and_shipped_units_are_gone():
    level = make_stock(quantity=10)

    reserve((level.variant, 4))
    assert figures(level) == (10, 4)
    stock_ship(subject=ORDER, lines=[(level.variant, 4)], source_key="parcel:1", actor="orders")

    assert figures(level) == (6, 0)
    assert Reservation.objects.get().status == "consumed"
    assert [
        (row.kind, row.quantity, row.reserved_change) for row in level.movements.order_by("pk")
    ] == [
        ("receive", 10, 0),
        ("reserve", 0, 4),
        ("ship", -4, -4),
    ]
    assert differences() == []


def test_two_lines_of_one_variant_are_summed():
    """One variant in two lines counted apart: https://github.com/vendurehq/vendure/issues/1028."""
    level = make_stock(quantity=5, name="Lantern", sku="L-1")

    with pytest.raises(OutOfStock) as refused:
        reserve((level.variant, 3), (level.variant, 3))

    assert refused.value.detail == (
        "Insufficient inventory for product Lantern. Available: 5, Requested: 6"
    )
    assert refused.value.facts == {
        "product": "Lantern",
        "sku": "L-1",
        "available": 5,
        "requested": 6,
    }
    assert figures(level) == (5, 0)


def test_all_lines_or_none():
    there, missing = make_stock(quantity=5), make_stock(quantity=0)

    with pytest.raises(OutOfStock):
        reserve((there.variant, 1), (missing.variant, 1))

    assert not Reservation.objects.exists()
    assert figures(there) == (5, 0)
    assert not Event.objects.filter(type="stock.reserved").exists()


def test_a_subject_is_reserved_for_once_and_released_once():
    level = make_stock(quantity=5)
    reserve((level.variant, 2))
    reserve((level.variant, 2))
    assert figures(level) == (5, 2)

    freed = [stock_release(subject=ORDER, actor="orders") for _ in range(2)]

    assert freed == [2, 0]
    assert figures(level) == (5, 0)
    assert Event.objects.filter(type="stock.released").count() == 1
    assert differences() == []


def test_an_expired_reservation_gives_its_units_back_and_says_so():
    level, other = make_stock(quantity=5), make_stock(quantity=5)
    reserve(
        (level.variant, 2), (other.variant, 1), expires_at=timezone.now() - timedelta(seconds=1)
    )
    reserve((level.variant, 1), subject="orders.order:2", expires_at=soon())

    expire_reservations()

    assert (figures(level), figures(other)) == ((5, 1), (5, 0))
    event = Event.objects.get(type="reservation.expired")
    assert event.data == {"subject": ORDER, "units": 3}
    assert differences() == []


def test_a_firm_reservation_does_not_expire_and_firming_twice_is_once():
    level = make_stock(quantity=5)
    reserve((level.variant, 2), expires_at=soon())

    for _ in range(2):
        stock_firm(subject=ORDER, lines=[(level.variant, 2)], actor="orders")

    assert Reservation.objects.get().expires_at is None
    assert figures(level) == (5, 2)
    assert Event.objects.filter(type="stock.reserved").count() == 2


def test_firming_reserves_anew_what_has_expired_and_refuses_what_was_sold_meanwhile():
    level = make_stock(quantity=5)
    for subject in (ORDER, "orders.order:2"):
        reserve((level.variant, 2), subject=subject, expires_at=timezone.now())
    expire_reservations()
    stock_firm(subject=ORDER, lines=[(level.variant, 2)], actor="orders")
    reserve((level.variant, 2), subject="orders.order:3")

    with pytest.raises(OutOfStock) as refused:
        stock_firm(subject="orders.order:2", lines=[(level.variant, 2)], actor="orders")

    assert (refused.value.available, refused.value.requested) == (1, 2)
    assert figures(level) == (5, 4)
    assert differences() == []


def test_parcels_ship_their_part_once_and_never_more_than_is_reserved():
    level = make_stock(quantity=9)
    reserve((level.variant, 5))
    part = [(level.variant, 2)]

    shipped = [
        stock_ship(subject=ORDER, lines=part, source_key=key, actor="orders")
        for key in ("parcel:1", "parcel:1", "parcel:2")
    ]
    with pytest.raises(NotReserved):
        stock_ship(subject=ORDER, lines=part, source_key="parcel:3", actor="orders")

    assert shipped == [2, 0, 2]
    assert figures(level) == (5, 1)
    assert stock_release(subject=ORDER, actor="orders") == 1
    assert differences() == []


def test_a_parcel_ships_from_its_own_warehouse():
    """One order cannot ship from two places: https://github.com/vendurehq/vendure/issues/3588."""
    here, there = make_warehouse("here"), make_warehouse("there")
    left = make_stock(quantity=3, warehouse=here)
    right = make_stock(quantity=2, warehouse=there, variant=left.variant)
    reserve((left.variant, 5))

    stock_ship(
        subject=ORDER, lines=[(left.variant, 2)], source_key="p", warehouse=there, actor="orders"
    )

    assert (figures(left), figures(right)) == ((3, 3), (0, 0))


@pytest.mark.parametrize(
    ("wanted", "shelves", "expected"),
    [
        ({1: 2}, [(10, 1, 1, 2), (11, 1, 2, 9)], {11: 2}),
        ({1: 2, 2: 1}, [(10, 1, 1, 2), (11, 1, 2, 9), (12, 2, 1, 1)], {10: 2, 12: 1}),
        ({1: 10}, [(10, 1, 1, 4), (11, 1, 2, 7)], {11: 7, 10: 3}),
        ({1: 12}, [(10, 1, 1, 4), (11, 1, 2, 7)], Shortage(1, 11, 12)),
        ({1: 1}, [], Shortage(1, 0, 1)),
    ],
)
def test_lines_are_taken_from_few_warehouses_and_then_from_the_fullest(wanted, shelves, expected):
    assert allocate(wanted, [Shelf(*shelf) for shelf in shelves]) == expected


def test_goods_of_one_delivery_are_received_once():
    level = make_stock(quantity=0)

    for _ in range(2):
        stock_receive(
            variant=level.variant,
            warehouse=level.warehouse,
            quantity=7,
            source_key="import:536365:1",
            actor="import",
        )

    assert figures(level) == (7, 0)
    assert StockMovement.objects.count() == 1


def test_stock_is_low_once_for_each_crossing_of_the_reorder_point():
    level = make_stock(quantity=10, reorder_point=3)
    for change in (-6, -1, -1, +5, -5):
        stock_adjust(
            variant=level.variant,
            warehouse=level.warehouse,
            change=change,
            reason="x",
            actor="alice",
        )

    low = Event.objects.filter(type="stock.low").order_by("pk")

    assert [event.data["available"] for event in low] == [3, 2]


def test_what_is_promised_is_not_counted_away():
    level = make_stock(quantity=5)
    reserve((level.variant, 4))

    with pytest.raises(OutOfStock):
        stock_count(variant=level.variant, warehouse=level.warehouse, quantity=3, actor="alice")

    assert figures(level) == (5, 4)


def test_nothing_moves_by_less_than_one_unit():
    level = make_stock(quantity=5)

    for lines in ([(level.variant, 0)], [(level.variant, -1)]):
        with pytest.raises(Invalid):
            stock_reserve(subject=ORDER, lines=lines, expires_at=None, actor="orders")

    assert figures(level) == (5, 0)


def test_movements_are_never_deleted_and_drift_is_named():
    level = make_stock(quantity=5)
    with pytest.raises(MovementKept):
        level.movements.first().delete()
    StockLevel.objects.filter(pk=level.pk).update(on_hand=6, reserved=1)

    level.refresh_from_db()
    assert differences() == [
        f"{level}: 6 on hand, its movements say 5.",
        f"{level}: 1 reserved, its reservations say 0.",
        f"{level}: 1 reserved, its movements say 0.",
    ]


# The Commerce API -------------------------------------------------------------------------------


def test_stock_is_listed_with_its_product_and_warehouse(api):
    level = make_stock(quantity=10, reorder_point=10, sku="L-1", name="Lantern", price="4.25")
    make_stock(quantity=0)
    reserve((level.variant, 4))

    answer = api.get("/api/inventory?low_stock=true").json()

    assert answer["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1}
    row = answer["inventory"][0]
    assert (row["quantity"], row["reserved_quantity"], row["available_quantity"]) == (10, 4, 6)
    assert row["product"] == {
        "id": level.variant.product_id,
        "name": "Lantern",
        "sku": "L-1",
        "price": 4.25,
    }
    assert row["warehouse"]["code"] == "main"
    assert (row["is_low_stock"], row["is_out_of_stock"]) == (True, False)
    assert api.get("/api/inventory?out_of_stock=1").json()["pagination"]["total"] == 1


def test_the_list_costs_the_same_queries_for_2_rows_as_for_20(api, django_assert_num_queries):
    for _ in range(2):
        make_stock()
    api.get("/api/inventory")  # the first use of a key is written down
    with django_assert_num_queries(4):
        api.get("/api/inventory")
    for _ in range(18):
        make_stock()

    with django_assert_num_queries(4):
        assert len(api.get("/api/inventory").json()["inventory"]) == 20


def test_an_adjustment_writes_a_movement_and_answers_both_figures(api):
    level = make_stock(quantity=10)
    body = {
        "product_id": level.variant.product_id,
        "warehouse_id": level.warehouse_id,
        "quantity_change": -3,
        "reason": "broken",
    }

    answer = api.post("/api/inventory/adjust", body).json()

    movement = StockMovement.objects.get(kind="adjust")
    assert answer["adjustment"] == {
        "old_quantity": 10,
        "change": -3,
        "new_quantity": 7,
        "reason": "broken",
        "movement_id": movement.pk,
    }
    assert answer["inventory"]["quantity"] == 7
    assert (movement.reason, movement.actor) == ("broken", "a-operator")


def test_an_adjustment_under_one_key_happens_once(api):
    level = make_stock(quantity=10)
    body = {"inventoryId": level.pk, "adjustment": 1, "reason": "found"}

    answers = [
        api.post("/api/inventory/adjust", body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotent-Replay"] == "true"
    assert figures(level) == (11, 0)


def test_an_adjustment_below_the_promised_is_refused_with_what_is_available(api):
    level = make_stock(quantity=5, name="Lantern")
    reserve((level.variant, 3))

    answer = api.post(
        "/api/inventory/adjust", {"inventoryId": level.pk, "adjustment": -3, "reason": "x"}
    )

    assert answer.status_code == 409
    assert answer.json()["code"] == "out_of_stock"
    assert (answer.json()["available"], answer.json()["requested"]) == (2, 3)
    assert figures(level) == (5, 3)


def test_a_count_of_many_shelves_is_all_or_nothing(api):
    first, second = make_stock(quantity=5), make_stock(quantity=5)
    reserve((second.variant, 4))
    counts = [
        {"product_id": row.variant.product_id, "warehouse_id": row.warehouse_id, "quantity": 3}
        for row in (first, second)
    ]

    refused = api.put("/api/inventory", {"updates": counts})
    counted = api.patch("/api/inventory", {**counts[0], "quantity": 8})

    assert refused.status_code == 409
    assert counted.json()["message"] == "1 inventory levels were counted."
    assert (figures(first), figures(second)) == ((8, 0), (5, 4))


def test_a_transfer_loses_no_unit(api):
    level = make_stock(quantity=5)
    target = make_warehouse("north")
    body = {
        "productId": level.variant.product_id,
        "fromWarehouseId": level.warehouse_id,
        "toWarehouseId": target.pk,
        "quantity": 3,
    }

    done = api.post("/api/inventory/transfer", body).json()
    refused = api.post("/api/inventory/transfer", body)

    assert (
        done["success"],
        done["transfer"]["from_quantity"],
        done["transfer"]["to_quantity"],
    ) == (True, 2, 3)
    assert refused.status_code == 409
    assert figures(level) == (2, 0)
    assert differences() == []


def test_a_product_with_several_variants_needs_one_named(api):
    level = make_stock(quantity=5)
    make_variant(product=level.variant.product, sku="OTHER")
    body = {
        "product_id": level.variant.product_id,
        "warehouse_id": level.warehouse_id,
        "quantity_change": 1,
        "reason": "x",
    }

    unclear = api.post("/api/inventory/adjust", body)
    named = api.post("/api/inventory/adjust", {**body, "variant_id": level.variant_id})

    assert (unclear.status_code, unclear.json()["code"]) == (422, "variant_unclear")
    assert named.json()["inventory"]["quantity"] == 6


def test_stock_of_a_product_and_of_a_warehouse_and_its_movements(api):
    level = make_stock(quantity=5)
    make_stock(quantity=2, warehouse=make_warehouse("north"), variant=level.variant)

    product = api.get(f"/api/inventory/product/{level.variant.product_id}").json()
    moved = api.get(f"/api/inventory/movements/{level.variant.product_id}").json()
    shelf = api.get(f"/api/warehouses/{level.warehouse_id}/inventory").json()

    assert (len(product["inventory"]), product["total_available"]) == (2, 7)
    assert [row["quantity"] for row in moved["movements"]] == [2, 5]
    assert [row["quantity"] for row in shelf["inventory"]] == [5]
    assert api.get("/api/inventory/product/999").status_code == 404


def test_low_stock_and_statistics_come_from_the_rows(api):
    make_stock(quantity=10, reorder_point=20, price="2.50")
    make_stock(quantity=0, price="9.99")

    low = api.get("/api/inventory/low-stock").json()
    below = api.get("/api/inventory/low-stock?threshold=9").json()
    stats = api.get("/api/inventory/stats").json()

    assert (low["count"], below["count"]) == (1, 1)
    assert stats.pop("as_of")
    assert stats == {
        "total_items": 2,
        "total_quantity": 10,
        "total_reserved": 0,
        "total_available": 10,
        "low_stock_count": 1,
        "out_of_stock_count": 1,
        "inventory_value": 25.00,
        "amounts": {"inventory_value": "25.00"},
    }


def test_an_export_carries_no_formula(api):
    make_stock(quantity=1, sku="=HYPERLINK", name="@sum(1)")

    answer = api.post("/api/inventory/export", {})

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.decode().splitlines()[1].endswith("'=HYPERLINK,'@sum(1),Main,1,0,1,0")


def test_who_may_only_read_changes_nothing(client_as):
    level = make_stock(quantity=5)
    reader = client_as("readonly")

    answer = reader.post(
        "/api/inventory/adjust", {"inventoryId": level.pk, "adjustment": 1, "reason": "x"}
    )

    assert reader.get("/api/inventory").status_code == 200
    assert answer.status_code == 403
    assert figures(level) == (5, 0)
