"""Customers and their addresses through the Commerce API; the ledger of their purchases."""

from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from ecommerce.customers.models import Address, Customer, Purchase
from ecommerce.customers.services import customer_create, purchase_record
from messaging.models import Event
from tests.factories.customers import make_address, make_customer

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "phone": "0123"}
HOME = {
    "address_type": "shipping",
    "street_address": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "is_default": True,
}


def test_a_customer_is_created_and_the_event_names_nobody(api):
    response = api.post("/api/customers", ADA)

    assert response.status_code == 201
    row = response.json()
    assert row["user"] == {"id": None, **ADA}
    assert (row["status"], row["total_orders"], row["total_spent"]) == ("active", 0, 0)
    assert Event.objects.get(type="customer.created").data == {}


def test_a_mail_address_belongs_to_one_customer_whatever_its_case(api):
    ada = make_customer("Ada@Example.org")

    response = api.post("/api/customers", ADA)

    assert response.status_code == 409
    assert response.json()["customer_id"] == ada.pk
    assert Customer.objects.count() == 1


def test_many_customers_have_no_mail_address_and_each_outside_number_is_one():
    for reference in ("17850", "13047", "", ""):
        customer_create(external_ref=reference, actor="test")

    assert Customer.objects.filter(email="").count() == 4


@pytest.mark.parametrize("field", ["email", "first_name", "last_name"])
def test_a_customer_without_mail_or_name_is_refused(api, field):
    response = api.post("/api/customers", {**ADA, field: ""})

    assert response.status_code == 422
    assert not Customer.objects.exists()


def test_addresses_are_added_and_one_is_the_default(api):
    ada = make_customer()
    first = api.post(f"/api/customers/{ada.pk}/addresses", HOME)
    second = api.post(f"/api/customers/{ada.pk}/addresses", {**HOME, "city": "Bath"})

    rows = api.get(f"/api/customers/{ada.pk}/addresses").json()["addresses"]

    assert (first.status_code, second.status_code) == (201, 201)
    assert [(row["city"], row["is_default"]) for row in rows] == [("Bath", True), ("London", False)]
    assert {rows[0][key] for key in ("address_line1", "address_line_1", "street_address")} == {
        "12 St James's Square"
    }
    assert (rows[0]["address_type"], rows[0]["customer_id"]) == ("shipping", ada.pk)


def test_an_address_needs_street_city_postcode_and_country(api):
    ada = make_customer()

    response = api.post(f"/api/customers/{ada.pk}/addresses", {"country": "GB"})

    assert response.status_code == 422
    assert {row["field"] for row in response.json()["errors"]} == {"line1", "city", "postal_code"}
    assert not Address.objects.exists()


def test_who_may_not_read_personal_data_sees_masks(client_as):
    ada = make_customer()
    make_address(ada, phone="020 7946 0958")

    row = client_as("readonly").get(f"/api/customers/{ada.pk}").json()

    assert row["user"] == {
        "id": None,
        "email": "a***@example.org",
        "first_name": "A",
        "last_name": "L",
        "phone": "***58",
    }
    address = row["addresses"][0]
    assert (address["city"], address["street_address"], address["country"]) == ("***", "***", "GB")
    assert "20 7946" not in str(row)
    assert "James" not in str(row)


def test_lists_search_and_sort_by_what_was_spent(api):
    small, big = make_customer("small@example.org"), make_customer("big@example.org")
    for customer, amount in ((small, "5.00"), (big, "50.00")):
        buy(customer, amount, f"ORD-{customer.pk}")

    rows = api.get("/api/customers?sort_by=lifetime_value").json()
    found = api.get("/api/customers?search=SMALL").json()

    assert [row["id"] for row in rows["customers"]] == [big.pk, small.pk]
    assert rows["customers"][0]["amounts"]["lifetime_value"] == "50.00"
    assert [row["id"] for row in found["customers"]] == [small.pk]
    assert found["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1}


def test_names_change_and_the_event_says_which(api):
    ada = make_customer()

    row = api.put(f"/api/customers/{ada.pk}", {"last_name": "King", "tags": ["vip"]}).json()

    assert (row["user"]["last_name"], row["tags"]) == ("King", ["vip"])
    assert Event.objects.get(type="customer.changed").data == {"fields": ["last_name", "tags"]}


def test_a_customer_is_blocked_once(api):
    ada = make_customer()
    first = api.post(f"/api/customers/{ada.pk}/block", {"reason": "chargebacks"})
    second = api.post(f"/api/customers/{ada.pk}/block")

    assert first.json()["status"] == "blocked"
    assert (second.status_code, second.json()["allowed"]) == (409, ["active"])
    assert Event.objects.filter(type="customer.blocked").count() == 1


def buy(customer, amount, order_number):
    return purchase_record(
        customer,
        order_number=order_number,
        amount=Decimal(amount),
        currency="GBP",
        at=timezone.now(),
        actor="test",
    )


def test_a_purchase_counts_once_and_stays():
    ada = make_customer()
    for _ in range(2):
        purchase = buy(ada, "10.50", "ORD-000001")

    ada.refresh_from_db()
    assert (ada.total_orders, ada.total_spent, ada.currency) == (1, Decimal("10.50"), "GBP")
    with pytest.raises(TypeError):
        purchase.delete()


@pytest.mark.django_db(transaction=True)
def test_purchases_at_the_same_time_all_count():
    ada = make_customer()

    def spend(number):
        try:
            buy(ada, "1.25", f"ORD-{number}")
        finally:
            connection.close()

    threads = [Thread(target=spend, args=(number // 2,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ada.refresh_from_db()
    assert Purchase.objects.count() == 6
    assert (ada.total_orders, ada.total_spent) == (6, Decimal("7.50"))


def test_statistics_come_from_the_rows(api):
    ada = make_customer()
    make_customer("bob@example.org")
    buy(ada, "30.00", "ORD-1")

    stats = api.get("/api/customers/stats").json()

    assert (stats["total_customers"], stats["active_customers"]) == (2, 2)
    assert stats["average_lifetime_value"] == 30
    assert stats["segment_distribution"] == {"none": 2}


def test_a_stranger_sees_nothing_and_a_reader_changes_nothing(stranger, client_as):
    assert stranger.get("/api/customers").status_code == 401
    assert client_as("readonly").post("/api/customers", ADA).status_code == 403
    assert not Customer.objects.exists()
