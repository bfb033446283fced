"""Payments: asked once, answered once, never more than was promised."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ecommerce.payments.first_run import ensure
from ecommerce.payments.models import (
    GatewayCall,
    LedgerRowKept,
    Payment,
    PaymentEvent,
    PaymentMethod,
    Refund,
)
from ecommerce.payments.reconcile import differences
from ecommerce.payments.refusals import (
    CaptureTooHigh,
    KeyReused,
    PaymentOpen,
    RefundTooHigh,
    SecondPersonNeeded,
)
from ecommerce.payments.services import (
    payment_capture,
    payment_refund,
    payment_void,
    payments_unwind,
    refund_decide,
    refund_retry,
)
from messaging.models import Event
from tasks.models import Task
from tasks.services import task_redrive, task_retry_now
from tests.factories.payments import again, make_payment

pytestmark = pytest.mark.django_db


def told(name):
    """The facts of the only event of that name."""
    return Event.objects.get(type=name).data


def lines(payment):
    """The payment's ledger as (kind, phase, amount)."""
    return [(row.kind, row.phase, row.amount) for row in payment.events.order_by("pk")]


@pytest.fixture
def captured(run_agents):
    """`captured("100.00")`: a payment whose money is here."""

    def make(amount="100.00", **fields):
        payment = make_payment(amount=amount, capture=True, **fields)
        run_agents()
        return again(payment)

    return make


def test_an_authorised_payment_is_captured_in_parts_up_to_its_amount(run_agents):
    payment = make_payment(amount="100.00")
    run_agents()
    assert again(payment).status == "authorized"

    payment_capture(payment, amount=Decimal("30.10"), key="parcel-1", actor="orders")
    run_agents()
    assert again(payment).status == "partially_captured"
    payment_capture(payment, key="rest", actor="orders")
    run_agents()

    payment = again(payment)
    assert (payment.status, payment.captured) == ("captured", Decimal("100.00"))
    assert [
        row.data["amount"] for row in Event.objects.filter(type="payment.captured").order_by("pk")
    ] == ["30.10", "69.90"]
    assert differences() == []


def test_a_payment_that_captures_at_once_brings_its_money(captured):
    payment = captured("12.34")

    assert (payment.status, payment.captured) == ("captured", Decimal("12.34"))
    assert payment.paid_at is not None
    assert lines(payment) == [
        ("authorize", "request", Decimal("12.34")),
        ("authorize", "success", Decimal("12.34")),
        ("capture", "request", Decimal("12.34")),
        ("capture", "success", Decimal("12.34")),
    ]


def test_a_declined_payment_fails_and_says_why(run_agents):
    payment = make_payment(simulate="decline", capture=True)

    run_agents()

    payment = again(payment)
    assert (payment.status, payment.authorized, payment.error) == (
        "failed",
        0,
        "The card was declined.",
    )
    assert told("payment.failed") == {
        "order_number": payment.order_number,
        "payment_id": payment.pk,
        "amount": "100.00",
        "currency": "GBP",
        "error": "The card was declined.",
        "error_code": "declined",
    }


def test_the_same_key_is_the_same_payment_and_another_amount_is_refused():
    first = make_payment(order_number="ORD-1", idempotency_key="k", amount="5.00")

    second = make_payment(order_number="ORD-1", idempotency_key="k", amount="5.00")
    with pytest.raises(KeyReused):
        make_payment(order_number="ORD-1", idempotency_key="k", amount="6.00")

    assert second == first
    assert Event.objects.filter(type="payment.requested").count() == 1


def test_an_order_has_one_open_payment(run_agents):
    first = make_payment(order_number="ORD-1")

    with pytest.raises(PaymentOpen) as refused:
        make_payment(order_number="ORD-1")

    assert refused.value.facts == {"payment_id": first.pk}
    assert Payment.objects.count() == 1


def test_a_lost_answer_after_success_is_one_charge(run_agents):
    """A retry that makes a new key pays twice: https://github.com/medusajs/medusa/issues/16292."""
    payment = make_payment(simulate="timeout_after_success")
    run_agents()
    assert again(payment).status == "pending"
    assert again(payment).unknown_since is not None
    assert told("payment.unknown")["kind"] == "authorize"

    task_retry_now(Task.objects.get(task_type="payments.authorize"), actor="alice")
    run_agents()

    assert again(payment).status == "authorized"
    assert again(payment).unknown_since is None
    assert [(call.kind, call.amount) for call in GatewayCall.objects.all()] == [
        ("authorize", Decimal("100.00"))
    ]
    assert [phase for _, phase, _ in lines(payment)] == ["request", "unknown", "success"]


def test_a_silent_provider_is_asked_after_1_5_and_30_minutes_and_then_a_person(run_agents):
    payment = make_payment(simulate="silent")
    waits = []
    for minutes in (0, 1, 5):
        _let_time_pass(payment, minutes)
        run_agents()
        task = Task.objects.get(task_type="payments.authorize")
        waits.append(round((task.due_at - timezone.now()).total_seconds() / 60))
        task_retry_now(task, actor="alice")
    _let_time_pass(payment, 30)
    run_agents()

    assert waits == [1, 4, 25]
    assert Task.objects.get(task_type="payments.authorize").status == "failed"
    assert again(payment).status == "pending"
    assert GatewayCall.objects.count() == 0

    Payment.objects.update(simulate="")
    task_redrive(Task.objects.get(task_type="payments.authorize"), actor="alice")
    run_agents()
    assert again(payment).status == "authorized"


def _let_time_pass(payment, minutes):
    PaymentEvent.objects.filter(payment=payment, phase="unknown").update(
        created_at=timezone.now() - timedelta(minutes=minutes, milliseconds=1)
    )


def test_a_pending_payment_that_is_cancelled_never_takes_the_money(run_agents):
    payment = make_payment(capture=True)
    payment_void(payment, actor="alice")

    run_agents()

    assert again(payment).status == "cancelled"
    assert GatewayCall.objects.get().answer["error_code"] == "called_off"
    assert not Event.objects.filter(type="payment.authorized").exists()


def test_a_cancelled_payment_that_was_authorised_unseen_is_voided(run_agents):
    payment = make_payment(simulate="timeout_after_success", capture=True)
    run_agents()
    payment_void(payment, actor="alice")

    run_agents()
    run_agents()

    payment = again(payment)
    assert (payment.status, payment.authorized, payment.voided, payment.captured) == (
        "authorized",
        Decimal("100.00"),
        0,
        0,
    )
    task_retry_now(Task.objects.get(task_type="payments.void"), actor="alice")
    run_agents()
    assert again(payment).status == "voided"
    assert differences() == []


def test_the_uncaptured_rest_is_voided_and_what_is_captured_stays(run_agents):
    payment = make_payment()
    run_agents()
    payment_capture(payment, amount=Decimal("40.00"), key="p", actor="orders")
    run_agents()

    payment_void(payment, actor="alice")
    run_agents()

    payment = again(payment)
    assert (payment.status, payment.captured, payment.voided) == (
        "captured",
        Decimal("40.00"),
        Decimal("60.00"),
    )


def test_more_than_the_rest_is_not_captured_and_nothing_happens(run_agents):
    payment = make_payment(amount="0.30")
    run_agents()
    payment_capture(payment, amount=Decimal("0.10"), key="a", actor="orders")

    with pytest.raises(CaptureTooHigh) as refused:
        payment_capture(payment, amount=Decimal("0.21"), key="b", actor="orders")
    payment_capture(payment, amount=Decimal("0.20"), key="c", actor="orders")
    run_agents()

    assert refused.value.facts == {"available": Decimal("0.20"), "requested": Decimal("0.21")}
    assert again(payment).status == "captured"
    assert differences() == []


def test_the_same_capture_key_takes_the_money_once(run_agents):
    """Captured payments captured again: https://github.com/medusajs/medusa/issues/12674."""
    payment = make_payment()
    run_agents()

    for _ in range(3):
        payment_capture(payment, amount=Decimal("50.00"), key="parcel-1", actor="orders")
        run_agents()

    assert again(payment).captured == Decimal("50.00")
    with pytest.raises(KeyReused):
        payment_capture(payment, amount=Decimal("49.00"), key="parcel-1", actor="orders")


def test_a_refused_capture_frees_its_amount_and_an_expired_one_ends_the_payment(run_agents):
    refused = make_payment(simulate="capture:decline", capture=True)
    expired = make_payment(simulate="capture:expired", capture=True)

    run_agents()

    assert (again(refused).status, again(refused).uncaptured) == ("authorized", Decimal("100.00"))
    assert again(expired).status == "expired"
    assert Event.objects.filter(type="payment.capture_failed").count() == 2
    make_payment(order_number=expired.order_number)


def test_refunds_in_any_number_of_parts_add_up_to_at_most_the_captured(api, captured, run_agents):
    payment = captured("10.00")

    for key in ("a", "b"):
        payment_refund(payment, amount=Decimal("3.30"), reason="late", key=key, actor="alice")
        run_agents()
    with pytest.raises(RefundTooHigh):
        payment_refund(payment, amount=Decimal("3.41"), reason="x", key="c", actor="alice")
    payment_refund(payment, amount=Decimal("3.40"), reason="x", key="d", actor="alice")
    run_agents()

    payment = again(payment)
    assert (payment.status, payment.refunded) == ("refunded", Decimal("10.00"))
    assert Refund.objects.count() == 3
    assert differences() == []


def test_a_refund_that_the_provider_refuses_is_retried_under_a_new_key(captured, run_agents):
    payment = captured(simulate="refund:decline")
    refund = payment_refund(payment, amount=Decimal("5.00"), reason="x", key="k", actor="alice")
    run_agents()
    refund.refresh_from_db()
    assert (refund.status, again(payment).refundable) == ("failed", Decimal("100.00"))

    Payment.objects.update(simulate="")
    refund_retry(refund, actor="alice")
    run_agents()

    refund.refresh_from_db()
    assert (refund.status, refund.attempt) == ("done", 2)
    assert again(payment).refunded == Decimal("5.00")
    assert differences() == []


def test_a_refund_above_the_limit_waits_for_a_second_person(captured, run_agents):
    payment = captured("5000.00")
    within = payment_refund(payment, amount=Decimal("600"), reason="x", key="a", actor="alice")
    above = payment_refund(payment, amount=Decimal("400.01"), reason="x", key="b", actor="alice")
    run_agents()
    assert (Refund.objects.get(pk=within.pk).status, above.status) == ("done", "requested")

    with pytest.raises(SecondPersonNeeded):
        refund_decide(above, approve=True, actor="alice")
    assert Refund.objects.get(pk=above.pk).status == "requested"
    refund_decide(above, approve=True, reason="agreed", actor="carol")
    run_agents()

    above.refresh_from_db()
    assert (above.status, above.requested_by, above.decided_by) == ("done", "alice", "carol")
    assert again(payment).refunded == Decimal("1000.01")


def test_a_declined_refund_gives_its_amount_free(captured):
    payment = captured("5000.00")
    refund = payment_refund(payment, amount=Decimal("5000"), reason="x", key="a", actor="alice")
    assert again(payment).refundable == 0

    refund_decide(refund, approve=False, reason="no", actor="carol")

    assert again(payment).refundable == Decimal("5000.00")
    assert told("refund.declined")["reason"] == "no"
    assert differences() == []


@pytest.mark.parametrize(
    ("capture", "simulate", "runs_first", "status"),
    [
        (False, "", False, "cancelled"),
        (False, "", True, "voided"),
        (True, "", True, "refunded"),
        (False, "decline", True, "failed"),
    ],
)
def test_unwinding_gives_everything_back_and_twice_is_once(
    run_agents, capture, simulate, runs_first, status
):
    payment = make_payment(capture=capture, simulate=simulate)
    if runs_first:
        run_agents()

    for _ in range(2):
        payments_unwind(order_number=payment.order_number, reason="cancelled", actor="orders")
    run_agents()
    payments_unwind(order_number=payment.order_number, reason="cancelled", actor="orders")
    run_agents()

    payment = again(payment)
    assert payment.status == status
    assert payment.captured == payment.refunded
    assert differences() == []


def test_a_capture_that_succeeds_after_the_unwinding_is_given_back(run_agents):
    payment = make_payment()
    run_agents()
    payment_capture(payment, amount=Decimal("70.00"), key="parcel", actor="orders")
    payments_unwind(order_number=payment.order_number, reason="cancelled", actor="orders")

    run_agents()

    payment = again(payment)
    assert (payment.status, payment.captured, payment.refunded, payment.voided) == (
        "refunded",
        Decimal("70.00"),
        Decimal("70.00"),
        Decimal("30.00"),
    )
    assert differences() == []


def test_the_ledger_is_never_deleted(captured):
    payment = captured()

    with pytest.raises(LedgerRowKept):
        payment.events.first().delete()

    assert payment.events.count() == 4


def test_reconcile_names_what_does_not_add_up(captured):
    payment = captured()
    Payment.objects.filter(pk=payment.pk).update(captured=Decimal("99.99"))
    GatewayCall.objects.create(
        key="stray",
        kind="capture",
        amount=1,
        currency="GBP",
        reference="?",
        answer={"accepted": True},
    )

    assert differences() == [
        f"{payment}: captured is 99.99, its ledger says 100.00.",
        "The provider has performed stray over 1.00, which the ledger does not know.",
    ]


def test_the_methods_of_a_new_installation_are_made_once():
    ensure(actor="system")
    PaymentMethod.objects.filter(code="stripe").update(enabled=False)

    ensure(actor="system")

    assert list(PaymentMethod.objects.values_list("code", flat=True)) == [
        "credit_card",
        "debit_card",
        "paypal",
        "stripe",
        "bank_transfer",
        "account",
    ]
    assert not PaymentMethod.objects.get(code="stripe").enabled
