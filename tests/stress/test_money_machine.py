"""Payments and stock in any order, with answers lost after success: every ledger adds up (R11)."""

import os
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ecommerce.inventory import reconcile as stock_ledger
from ecommerce.inventory.agent import expire_reservations
from ecommerce.inventory.models import Reservation
from ecommerce.inventory.services import (
    stock_adjust,
    stock_firm,
    stock_release,
    stock_reserve,
    stock_ship,
)
from ecommerce.payments import agent
from ecommerce.payments import reconcile as money_ledger
from ecommerce.payments.models import Kind, Payment, PaymentEvent, Refund
from ecommerce.payments.provider import PROVIDERS, FakeGateway, NoAnswer
from ecommerce.payments.refusals import ProviderSilent
from ecommerce.payments.services import (
    payment_capture,
    payment_refund,
    payment_void,
    payments_unwind,
    refund_decide,
    refund_retry,
)
from platform_site.common.errors import Refusal
from tasks.handlers import Later
from tests.factories.inventory import make_stock, make_warehouse
from tests.factories.payments import again, make_payment

pytestmark = [pytest.mark.stress, pytest.mark.django_db]

EXAMPLES, STEPS = (2000, 50) if os.environ.get("STRESS") == "full" else (60, 30)

cents = st.integers(1, 30_000).map(lambda number: Decimal(number) / 100)
orders = st.integers(1, 4).map(lambda number: f"orders.order:{number}")
HANDLERS = {
    Kind.AUTHORIZE: (agent.authorize, agent.call_off),
    Kind.CAPTURE: (agent.capture,),
    Kind.VOID: (agent.void,),
    Kind.REFUND: (agent.refund,),
}


class Forgetful(FakeGateway):
    """A provider that loses the answers that it is told to lose, after it has acted."""

    loses = False

    def perform(self, call):
        answer = super().perform(call)
        if self.loses:
            raise NoAnswer("lost")
        return answer


class Ledgers(RuleBasedStateMachine):
    """Services and agents in any order; events come late, twice and out of order."""

    payments = Bundle("payments")

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.kept = PROVIDERS["simulator"]
        self.gateway = PROVIDERS["simulator"] = Forgetful()
        make_payment()
        north = make_warehouse("north")
        levels = [make_stock(quantity=7), make_stock(quantity=5, warehouse=north)]
        self.levels = [*levels, make_stock(quantity=3, variant=levels[0].variant, warehouse=north)]

    def teardown(self):
        try:
            assert money_ledger.differences() == []
            assert stock_ledger.differences() == []
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)
            PROVIDERS["simulator"] = self.kept

    @rule(
        target=payments,
        amount=cents,
        capture=st.booleans(),
        fault=st.sampled_from(
            ["", "", "", "decline", "capture:decline", "capture:expired", "refund:decline"]
        ),
    )
    def request(self, amount, capture, fault):
        return make_payment(amount=str(amount), capture=capture, simulate=fault)

    @rule(choice=st.randoms(use_true_random=False), loses=st.integers(0, 9))
    def provider_works(self, choice, loses):
        """Any request, answered or not: the agent is called for it again."""
        request = choice.choice(list(PaymentEvent.objects.filter(phase="request")))
        self.gateway.loses = loses == 0
        told = {"payment_id": request.payment_id, "key": request.idempotency_key}
        handler = choice.choice(HANDLERS[request.kind])
        if handler is agent.call_off and request.payment.unwound_at is None:
            return
        try:
            handler({"data": told}, actor="agent")
        except (Later, ProviderSilent):
            assert self.gateway.loses

    @rule(payment=payments, amount=cents, key=st.sampled_from("abc"))
    def capture(self, payment, amount, key):
        self.attempt(payment_capture, payment, amount=amount, key=key)

    @rule(payment=payments, amount=cents, key=st.sampled_from("abc"))
    def refund(self, payment, amount, key):
        self.attempt(payment_refund, payment, amount=amount, reason="x", key=key)

    @rule(payment=payments)
    def void(self, payment):
        self.attempt(payment_void, payment)

    @rule(payment=payments)
    def unwind(self, payment):
        payments_unwind(order_number=payment.order_number, reason="x", actor="orders")

    @rule(payment=payments, approve=st.booleans())
    def decide(self, payment, approve):
        for refund in Refund.objects.filter(payment=payment, status="requested"):
            self.attempt(refund_decide, refund, approve=approve, actor="carol")

    @rule(payment=payments)
    def retry(self, payment):
        for refund in Refund.objects.filter(payment=payment, status="failed"):
            self.attempt(refund_retry, refund)

    @rule(order=orders, which=st.integers(0, 2), units=st.integers(1, 6), is_short=st.booleans())
    def reserve(self, order, which, units, is_short):
        expires_at = timezone.now() if is_short else None
        lines = [(self.levels[which].variant, units), (self.levels[which].variant, 1)]
        self.attempt(stock_reserve, subject=order, lines=lines, expires_at=expires_at)

    @rule(order=orders, which=st.integers(0, 2), units=st.integers(1, 6))
    def firm(self, order, which, units):
        lines = [(self.levels[which].variant, units)]
        self.attempt(stock_firm, subject=order, lines=lines)

    @rule(order=orders, which=st.integers(0, 2), units=st.integers(1, 3), parcel=st.integers(1, 9))
    def ship(self, order, which, units, parcel):
        lines = [(self.levels[which].variant, units)]
        self.attempt(stock_ship, subject=order, lines=lines, source_key=f"{order}:{parcel}")

    @rule(order=orders)
    def release(self, order):
        self.attempt(stock_release, subject=order)

    @rule(which=st.integers(0, 2), change=st.integers(-3, 3))
    def adjust(self, which, change):
        level = self.levels[which]
        self.attempt(
            stock_adjust,
            variant=level.variant,
            warehouse=level.warehouse,
            change=change,
            reason="x",
        )

    @rule()
    def expire(self):
        expire_reservations()

    @invariant()
    def no_limit_is_broken(self):
        for payment in Payment.objects.all():
            assert payment.captured + payment.voided <= payment.authorized <= payment.amount
            assert payment.refunded + payment.refund_pending <= payment.captured
        assert not Reservation.objects.filter(status="active", quantity__lte=0).exists()

    def attempt(self, service, *entity, **fields):
        """Call a service; a refusal is fine and leaves nothing behind."""
        entity = [again(row) if isinstance(row, Payment) else row for row in entity]
        try:
            with transaction.atomic():
                service(*entity, **fields, actor="alice")
        except Refusal:
            pass


def test_random_histories_break_no_limit_and_lose_no_unit():
    run_state_machine_as_test(
        Ledgers,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
