"""The payment routes of the Commerce API: what clients send and the keys that they read."""

import threading
from decimal import Decimal

import pytest
from django.db import connection

from ecommerce.payments.models import Payment, PaymentEvent, Refund
from ecommerce.payments.services import payment_refund
from ecommerce.registration import register_builtin_agents
from messaging.models import Event
from tasks.runner import drain
from tests.factories.payments import again, make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def captured(run_agents):
    """A payment of 100.00 whose money is here."""
    payment = make_payment(amount="100.00", capture=True)
    run_agents()
    return again(payment)


def test_payments_are_listed_in_their_envelope_with_the_clients_words(api, captured):
    make_payment(method="paypal")

    answer = api.get("/api/payments").json()
    completed = api.get("/api/payments?status=completed").json()["payments"]

    assert answer["pagination"] == {"page": 1, "limit": 20, "total": 2, "pages": 1}
    assert [(row["status"], row["state"]) for row in answer["payments"]] == [
        ("pending", "pending"),
        ("completed", "captured"),
    ]
    assert [row["id"] for row in completed] == [captured.pk]
    assert completed[0]["amounts"]["captured"] == "100.00"
    assert [row["payment_method"] for row in answer["payments"]] == ["paypal", "credit_card"]
    for query, total in (
        ("payment_method=paypal", 1),
        ("status=captured", 1),
        ("status=nonsense", 0),
        ("order_id=ORD-999999", 0),
    ):
        assert api.get(f"/api/payments?{query}").json()["pagination"]["total"] == total


def test_the_list_costs_the_same_queries_for_2_rows_as_for_20(api, django_assert_max_num_queries):
    for _ in range(20):
        make_payment()
    api.get("/api/payments")

    with django_assert_max_num_queries(6):
        assert len(api.get("/api/payments").json()["payments"]) == 20


def test_a_payment_shows_its_ledger(api, captured):
    answer = api.get(f"/api/payments/{captured.pk}").json()

    assert [(row["kind"], row["phase"]) for row in answer["events"]] == [
        ("authorize", "request"),
        ("authorize", "success"),
        ("capture", "request"),
        ("capture", "success"),
    ]
    assert (answer["gateway"], answer["transaction_type"]) == ("simulator", "sale")
    assert api.get("/api/payments/999999").status_code == 404


def test_a_lost_answer_is_shown_as_processing(api, run_agents):
    make_payment(simulate="silent")
    run_agents()

    row = api.get("/api/payments?status=processing").json()["payments"][0]

    assert (row["status"], row["state"]) == ("processing", "unknown")
    assert api.get("/api/payments?status=pending").json()["payments"] == []


def test_a_refund_is_answered_with_its_payment_and_a_repeat_with_the_same_bytes(api, captured):
    body = {"amount": "12.50", "reason": "late"}

    answers = [
        api.post(f"/api/payments/{captured.pk}/refund", body, headers={"Idempotency-Key": "r"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["refund"]["status"] == "approved"
    assert Refund.objects.count() == 1


def test_a_key_with_another_body_is_refused_and_nothing_happens(api, captured):
    url = f"/api/payments/{captured.pk}/refund"
    api.post(url, {"amount": "1.00", "reason": "x"}, headers={"Idempotency-Key": "r"})

    answer = api.post(url, {"amount": "2.00", "reason": "x"}, headers={"Idempotency-Key": "r"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert again(captured).refund_pending == Decimal("1.00")


def test_a_refund_above_the_limit_is_202_until_a_second_person_decides(api, client_as, run_agents):
    payment = make_payment(amount="3000.00", capture=True)
    run_agents()

    asked = api.post(f"/api/payments/{payment.pk}/refund", {"amount": 2000, "reason": "lost"})
    refund_id = asked.json()["refund"]["id"]
    by_myself = api.post(f"/api/refunds/{refund_id}/approve")
    by_another = client_as("admin").post(f"/api/refunds/{refund_id}/approve")
    run_agents()

    assert (asked.status_code, asked.json()["refund"]["status"]) == (202, "requested")
    assert (by_myself.status_code, by_myself.json()["code"]) == (403, "second_person_needed")
    assert by_another.json()["status"] == "approved"
    assert again(payment).refunded == Decimal("2000.00")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "x", None])
def test_an_amount_that_is_none_is_refused(api, captured, amount):
    answer = api.post(f"/api/payments/{captured.pk}/refund", {"amount": amount, "reason": "x"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "amount")
    assert not Refund.objects.exists()


@pytest.mark.parametrize("name", ["card_number", "pan", "cvv", "cardNumber"])
def test_card_numbers_and_codes_are_refused_wherever_they_stand(api, captured, name):
    body = {"amount": 1, "reason": "x", "card": {name: "4111111111111111"}}

    answer = api.post(f"/api/payments/{captured.pk}/refund", body)

    assert answer.status_code == 422
    assert "send the provider's token" in answer.json()["detail"]
    assert not Refund.objects.exists()


def test_capture_and_cancel_go_through_the_agent(api, run_agents):
    payment = make_payment(amount="10.00")
    run_agents()

    captured = api.post(f"/api/payments/{payment.pk}/capture", {"amount": 4})
    run_agents()
    too_much = api.post(f"/api/payments/{payment.pk}/capture", {"amount": 7})
    cancelled = api.post(f"/api/payments/{payment.pk}/cancel")
    run_agents()
    again_cancelled = api.post(f"/api/payments/{payment.pk}/cancel")

    assert (captured.status_code, cancelled.status_code) == (200, 200)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "capture_too_high")
    assert (again_cancelled.status_code, again_cancelled.json()["code"]) == (409, "nothing_to_void")
    payment = again(payment)
    assert (payment.status, payment.captured, payment.voided) == (
        "captured",
        Decimal("4.00"),
        Decimal("6.00"),
    )


def test_methods_and_statistics_come_from_rows(api, captured, run_agents):
    payment_refund(captured, amount=Decimal("30.00"), reason="x", key="k", actor="alice")
    make_payment(simulate="decline")
    run_agents()

    methods = api.get("/api/payments/methods").json()["payment_methods"]
    stats = api.get("/api/payments/stats?time_range=24h").json()

    assert methods[0] == {"id": "credit_card", "name": "Credit card", "enabled": True}
    assert stats.pop("as_of")
    assert stats == {
        "total_payments": 2,
        "completed_payments": 1,
        "total_revenue": 100.00,
        "total_refunded": 30.00,
        "net_revenue": 70.00,
        "amounts": {
            "total_revenue": "100.00",
            "total_refunded": "30.00",
            "net_revenue": "70.00",
        },
        "success_rate": 50.0,
        "payment_method_distribution": {"credit_card": 2},
        "status_distribution": {"partially_refunded": 1, "failed": 1},
    }
    assert api.get("/api/payments/stats?time_range=2h").status_code == 422


@pytest.mark.parametrize("role", ["readonly", "user", "api_user"])
def test_who_may_not_refund_is_refused_and_nothing_happens(client_as, captured, role):
    answer = client_as(role).post(
        f"/api/payments/{captured.pk}/refund", {"amount": 1, "reason": "x"}
    )

    assert (answer.status_code, answer.json()["required"]) == (403, "payments:refund")
    assert not Refund.objects.exists()
    assert not Event.objects.filter(type="refund.requested").exists()


@pytest.mark.django_db(transaction=True)
def test_the_answer_waits_for_the_agent_and_shows_what_it_did(api, settings):
    settings.ANSWER_WAIT_S = 20.0
    register_builtin_agents()
    payment = make_payment(amount="10.00", capture=True)
    drain()
    answers = []

    def ask():
        body = {"amount": 4, "reason": "late"}
        answers.append(api.post(f"/api/payments/{payment.pk}/refund", body).json())
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    while asking.is_alive():
        drain()
        asking.join(timeout=0.05)

    assert answers[0]["refund"]["status"] == "done"
    assert (answers[0]["status"], answers[0]["refunded"]) == ("partially_refunded", 4.00)
    assert Payment.objects.get().refunded == Decimal("4.00")
    assert PaymentEvent.objects.unanswered().count() == 0
