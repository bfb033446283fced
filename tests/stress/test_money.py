"""Races for money: one charge for each key, never more back than came in."""

import os
from decimal import Decimal
from threading import Barrier

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from ecommerce.payments.models import GatewayCall, Payment, Refund
from ecommerce.payments.reconcile import differences
from ecommerce.payments.refusals import RefundTooHigh
from ecommerce.payments.services import payment_capture, payment_refund
from ecommerce.registration import register_builtin_agents
from platform_site.common.keys import key_issue
from tasks.models import Task
from tasks.runner import drain
from tasks.services import task_retry_now
from tests.factories.payments import again, make_payment
from tests.stress.threads import at_once, of_kind

pytestmark = [pytest.mark.stress, pytest.mark.django_db(transaction=True)]

CALLS = 400 if os.environ.get("STRESS") == "full" else 100
KEYS = 20


@pytest.fixture
def captured():
    """A payment of 100.00 whose money is here."""
    register_builtin_agents()
    payment = make_payment(amount="100.00", capture=True)
    drain()
    return again(payment)


@pytest.fixture
def secret(person):
    """The key of an operator."""
    return key_issue(name="race", owner=person("alice"), actor="test")[1]


def refund_over_http(secret, payment, key, amount):
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=secret)
    return client.post(
        f"/api/payments/{payment.pk}/refund",
        {"amount": amount, "reason": "late"},
        format="json",
        headers={"Idempotency-Key": key},
    )


def test_ten_threads_refund_half_each_and_two_succeed(captured):
    def refund(thread):
        return payment_refund(
            captured, amount=Decimal("50.00"), reason="late", key=f"k{thread}", actor="alice"
        )

    results = at_once(10, refund)
    drain()

    assert (of_kind(results, Refund), of_kind(results, RefundTooHigh)) == (2, 8)
    assert again(captured).status == "refunded"
    assert differences() == []


def test_without_the_lock_the_same_race_pays_out_too_much(captured):
    """The test above can fail: this is what it would see without the lock."""
    everybody_has_looked = Barrier(10)

    def refund(thread):
        is_allowed = again(captured).refundable >= Decimal("50.00")
        everybody_has_looked.wait(timeout=30)
        return is_allowed

    assert sum(at_once(10, refund)) == 10


@override_settings(ANSWER_WAIT_S=0.0)
def test_many_calls_with_few_keys_make_one_refund_a_key(captured, secret):
    def call(thread):
        answers = []
        for number in range(CALLS // 10):
            index = thread * (CALLS // 10) + number
            is_other = index % KEYS == 0 and index >= KEYS  # a known key with another body
            amount = "2.00" if is_other else "1.00"
            answer = refund_over_http(secret, captured, f"key-{index % KEYS}", amount)
            answers.append((index % KEYS, answer.status_code, answer.content))
        return answers

    answers = [answer for answers in at_once(10, call) for answer in answers]
    drain()

    assert {status for _, status, _ in answers} <= {200, 409, 422}
    bodies = {(key, content) for key, status, content in answers if status == 200}
    made = {key for key, _ in bodies}
    assert len(bodies) == len(made)  # every repeat got the same bytes
    assert Refund.objects.count() == len(made) >= KEYS - 1
    assert again(captured).refunded == sum(refund.amount for refund in Refund.objects.all())
    assert differences() == []


def test_a_hundred_different_keys_at_once_stop_at_what_was_captured(captured, secret):
    def call(thread):
        return [
            refund_over_http(secret, captured, f"{thread}-{number}", "3.00").status_code
            for number in range(10)
        ]

    statuses = [status for statuses in at_once(10, call) for status in statuses]
    drain()

    assert (statuses.count(200), statuses.count(409)) == (33, 67)
    assert again(captured).refunded == Decimal("99.00")
    assert differences() == []


def test_parallel_captures_never_take_more_than_is_authorised():
    register_builtin_agents()
    payment = make_payment(amount="100.00")
    drain()

    at_once(
        10,
        lambda thread: payment_capture(
            payment, amount=Decimal("30.00"), key=f"parcel-{thread}", actor="orders"
        ),
    )
    drain()

    assert again(payment).captured == Decimal("90.00")
    assert differences() == []


def test_a_payment_asked_for_by_ten_threads_under_one_key_is_one_payment():
    make_payment()  # the methods exist
    results = at_once(10, lambda thread: make_payment(order_number="ORD-1", idempotency_key="one"))

    assert len({payment.pk for payment in results}) == 1
    assert Payment.objects.filter(order_number="ORD-1").count() == 1


def test_answers_lost_after_success_and_retried_again_and_again_are_one_charge():
    """Retries that paid twice: https://github.com/medusajs/medusa/issues/16681."""
    register_builtin_agents()
    payment = make_payment(simulate="timeout_after_success", capture=True)

    for _ in range(6):
        drain()
        for task in Task.objects.filter(due_at__isnull=False, closed_at=None):
            task_retry_now(task, actor="alice")

    assert again(payment).status == "captured"
    assert sorted(GatewayCall.objects.values_list("kind", "amount")) == [
        ("authorize", Decimal("100.00")),
        ("capture", Decimal("100.00")),
    ]
    assert differences() == []
