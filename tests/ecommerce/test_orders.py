"""The routes of orders, as their clients call them."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ecommerce.inventory.models import StockLevel
from ecommerce.orders.models import Order
from ecommerce.payments.models import Payment
from tests.factories.orders import make_customer, make_goods, make_order, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db):
    open_shop()


def body_for(goods, customer, **more):
    return {
        "customer_id": customer.pk,
        "items": [{"product_id": goods.product_id, "quantity": 2}],
        "shipping_address_id": customer.addresses.get().pk,
        **more,
    }


def test_placing_an_order_answers_201_with_its_lines_and_our_amounts(api):
    goods, customer = make_goods(price="10.00", weight_g=400), make_customer()

    response = api.post("/api/orders", body_for(goods, customer, payment_method="credit_card"))

    order = response.json()
    assert response.status_code == 201
    assert order["order_number"] == f"ORD-{order['id']:06d}"
    assert (order["status"], order["payment_status"]) == ("pending", "pending")
    assert (order["total"], order["amounts"]["total"]) == (27.95, "27.95")
    assert order["shipping"] == order["shipping_cost"] == 3.95
    assert [item["subtotal"] for item in order["items"]] == [20.0]
    assert order["items"][0]["product"]["id"] == goods.product_id
    assert StockLevel.objects.get().reserved == 2


def test_the_callers_price_is_compared_and_never_trusted(api):
    goods, customer = make_goods(price="10.00"), make_customer()
    body = body_for(goods, customer)
    body["items"][0]["unit_price"] = "0.01"

    response = api.post("/api/orders", body)
    strict = api.post("/api/orders", {**body, "strict_prices": True})

    assert response.json()["subtotal"] == 20.0
    assert response.json()["warnings"][0]["price"] == "10.00"
    assert (strict.status_code, strict.json()["code"]) == (409, "price_differs")
    assert Order.objects.count() == 1


def test_without_stock_nothing_is_written(api):
    goods, customer = make_goods(stock=1, name="Red mug"), make_customer()

    response = api.post("/api/orders", body_for(goods, customer))

    assert response.status_code == 409
    assert response.json()["code"] == "out_of_stock"
    assert response.json()["detail"] == (
        "Insufficient inventory for product Red mug. Available: 1, Requested: 2"
    )
    assert not Order.objects.exists()
    assert StockLevel.objects.get().reserved == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"coupon_code": "SAVE10"}, "promotions_not_available"),
        ({"items": []}, "invalid"),
        ({"items": [{"product_id": 1, "quantity": 0}]}, "invalid"),
        ({"items": [{"product_id": 999, "quantity": 1}]}, "invalid"),
        ({"customer_id": 999}, "invalid"),
        ({"shipping_address_id": 999}, "invalid"),
        ({"payment_method": "seashells"}, "invalid"),
    ],
)
def test_what_breaks_a_rule_is_422_and_places_nothing(api, change, code):
    response = api.post("/api/orders", body_for(make_goods(), make_customer(), **change))

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert not Order.objects.exists()


def test_an_address_of_somebody_else_and_a_draft_product_are_refused(api):
    goods, customer, other = make_goods(), make_customer(), make_customer()
    draft = make_goods(status="draft")

    address = api.post(
        "/api/orders", body_for(goods, customer) | {"shipping_address_id": other.addresses.get().pk}
    )
    product = api.post("/api/orders", body_for(draft, customer))

    assert (address.status_code, product.status_code) == (422, 422)
    assert not Order.objects.exists()


def test_the_same_key_places_one_order(api):
    goods, customer = make_goods(), make_customer()
    body = body_for(goods, customer)

    first = api.post("/api/orders", body, headers={"Idempotency-Key": "k-1"})
    again = api.post("/api/orders", body, headers={"Idempotency-Key": "k-1"})

    assert first.json()["id"] == again.json()["id"]
    assert Order.objects.count() == 1
    assert StockLevel.objects.get().reserved == 2


def test_lists_filter_sort_search_and_cost_the_same_queries_for_any_number(api):
    customer = make_customer(email="ada@example.org")
    for _ in range(2):
        make_order(customer=customer)
    api.get("/api/orders?limit=20")  # the first call notes when the key was used
    with CaptureQueriesContext(connection) as two:
        api.get("/api/orders?limit=20")
    for _ in range(6):
        make_order()
    with CaptureQueriesContext(connection) as eight:
        listed = api.get("/api/orders?limit=20")

    assert listed.json()["pagination"]["total"] == 8
    assert "items_count" in listed.json()["orders"][0]
    assert len(two) == len(eight)
    of_orders = [query for query in eight.captured_queries if "orders_order" in query["sql"]]
    assert len(of_orders) <= 4
    found = api.get("/api/orders?search=ada@example.org&status=pending&sort_by=total").json()
    assert found["pagination"]["total"] == 2
    assert api.get("/api/orders?time_range=5y").status_code == 422
    by_customer = api.get(f"/api/customers/{customer.pk}/orders").json()
    assert by_customer["pagination"]["total"] == 2
    assert len(api.get(f"/api/customer/orders?customer_id={customer.pk}").json()["orders"]) == 2


def test_fixed_words_come_before_ids_and_recent_has_two_shapes(api):
    order = make_order()

    assert api.get("/api/orders/stats").json()["total_orders"] == 1
    assert api.get("/api/orders/recent").json()["orders"][0]["id"] == order.pk
    tile = api.get("/orders/recent").json()[0]
    assert (tile["id"], tile["order_id"]) == (order.order_number, order.pk)
    assert api.get(f"/api/orders/{order.order_number}").json()["id"] == order.pk
    assert api.get("/api/orders/999").status_code == 404


def test_statistics_and_kpis_are_sums_over_rows(api):
    first, second = make_order(), make_order()
    api.post(f"/api/orders/{second.pk}/cancel", {})

    stats = api.get("/api/orders/stats?time_range=24h").json()
    kpis = api.get("/api/analytics/kpis?timeRange=7d").json()

    assert (stats["total_orders"], stats["cancelled_orders"]) == (2, 1)
    assert stats["amounts"]["total_revenue"] == str(first.total)
    assert (kpis["totalOrders"], kpis["amounts"]["totalSales"]) == (1, str(first.total))
    assert kpis["conversionRate"] is None


def test_forbidden_status_words_are_409_with_what_is_allowed_and_unknown_ones_422(api):
    order = make_order()

    shipped = api.patch(f"/api/orders/{order.pk}/status", {"status": "shipped"})
    unknown = api.patch(f"/api/orders/{order.pk}/status", {"status": "lost in space"})
    derived = api.put(f"/api/orders/{order.pk}", {"payment_status": "paid"})
    early = api.patch(f"/api/orders/{order.pk}/status", {"status": "confirmed"})

    assert (shipped.status_code, shipped.json()["code"]) == (409, "transition_not_allowed")
    assert shipped.json()["allowed"] == ["cancelled", "confirmed", "expired"]
    assert unknown.status_code == 422
    assert (derived.status_code, derived.json()["code"]) == (409, "derived")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    order.refresh_from_db()
    assert order.status == Order.Status.PENDING


def test_put_changes_remarks_and_an_old_version_is_refused(api):
    order = make_order()
    seen = api.get(f"/api/orders/{order.pk}").json()["version"]

    first = api.put(f"/api/orders/{order.pk}", {"notes": "call first", "version": seen})
    second = api.put(f"/api/orders/{order.pk}", {"notes": "call last", "version": seen})

    assert first.json()["notes"] == "call first"
    assert (second.status_code, second.json()["code"]) == (409, "stale_state")


def test_holds_notes_explain_timeline_and_tracking(api, run_agents):
    order = make_order()
    hold = api.post(f"/api/orders/{order.pk}/holds", {"reason": "manual", "note": "wait"}).json()
    run_agents()

    explained = api.get(f"/api/orders/{order.pk}/explain").json()
    assert explained["waits_for"][0].startswith("hold manual since ")
    assert api.get("/api/orders?hold=manual").json()["pagination"]["total"] == 1

    released = api.post(f"/api/orders/{order.pk}/holds/{hold['id']}/release", {"note": "go"})
    again = api.post(f"/api/orders/{order.pk}/holds/{hold['id']}/release", {})
    run_agents()

    assert (released.status_code, again.status_code) == (200, 409)
    note = api.post(f"/api/orders/{order.pk}/notes", {"text": "hello"})
    assert note.status_code == 201
    events = api.get(f"/api/orders/{order.pk}/timeline").json()["events"]
    names = {event["type"] for event in events}
    assert {"order.held", "hold.released", "payment.captured", "shipment.in_transit"} <= names
    parcel = api.get(f"/api/orders/{order.pk}/tracking").json()["shipments"][0]
    assert parcel["tracking_number"]
    detail = api.get(f"/api/orders/{order.pk}").json()
    assert (detail["status"], detail["payment_status"]) == ("shipped", "paid")
    assert len(detail["fulfillments"]) == len(detail["payments"]) == 1


def test_another_amount_than_the_due_one_is_409_and_a_paid_order_is_not_paid_twice(api, run_agents):
    order = make_order(payment_method="")
    pay = {"order_id": order.pk, "payment_method": "paypal"}

    wrong = api.post("/api/payments", {**pay, "amount": "1.00"})
    right = api.post("/api/payments", {**pay, "amount": str(order.total)})
    run_agents()
    twice = api.post("/api/payments", {**pay, "amount": str(order.total)})

    assert (wrong.status_code, wrong.json()["code"]) == (409, "amount_differs")
    assert wrong.json()["due"] == str(order.total)
    assert right.status_code == 201
    assert (twice.status_code, twice.json()["code"]) == (409, "not_payable")
    assert Payment.objects.get().captured == order.total


def test_bulk_status_reports_each_refusal_and_export_guards_formulas(api):
    good, shipped = make_order(), make_order(customer=make_customer(first_name="=cmd()"))

    bulk = api.post(
        "/api/orders/bulk-update-status",
        {"ids": [good.pk, shipped.order_number, 999], "status": "cancelled"},
    ).json()
    sheet = api.post("/api/orders/export", [good.pk, shipped.pk])

    assert (bulk["updated_count"], bulk["success"]) == (2, False)
    assert bulk["failed"] == [{"id": 999, "detail": "Order not found"}]
    assert sheet["Content-Type"].startswith("text/csv")
    text = sheet.content.decode()
    assert text.count("\n") == 3
    assert ",'=cmd()" in text
    as_json = api.post("/api/orders/export", {}, headers={"Accept": "application/json"})
    assert isinstance(as_json.json(), str)


def test_a_stranger_and_a_reader_change_nothing(stranger, client_as):
    order = make_order()

    assert stranger.get("/api/orders").status_code == 401
    refused = client_as("readonly").post(f"/api/orders/{order.pk}/cancel", {})

    assert refused.status_code == 403
    order.refresh_from_db()
    assert order.status == Order.Status.PENDING


def test_who_may_not_see_personal_data_sees_it_masked(client_as):
    order = make_order(customer=make_customer(email="ada@example.org"))

    shown = client_as("readonly").get(f"/api/orders/{order.pk}").json()

    assert shown["customer"]["email"] == "a***@example.org"
    assert shown["shipping_address"]["line1"] == "***"


def test_lines_add_up_to_the_order_for_any_price_and_quantity(api):
    goods = [make_goods(price=price, weight_g=333) for price in ("0.01", "3.33", "19.99")]
    customer = make_customer()
    body = body_for(goods[0], customer)
    body["items"] = [{"sku": g.sku, "quantity": n} for n, g in enumerate(goods, start=3)]

    order = api.post("/api/orders", body).json()

    assert Decimal(order["amounts"]["subtotal"]) == sum(
        Decimal(item["amounts"]["total_price"]) for item in order["items"]
    )
    assert Decimal(order["amounts"]["tax"]) == sum(
        Decimal(item["amounts"]["tax"]) for item in order["items"]
    )
