"""What goes wrong on an order's way, and what then happens."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ecommerce.carriers.models import Carrier, Shipment
from ecommerce.fraud.models import FraudCase, FraudRule, RiskAssessment
from ecommerce.fraud.services import case_decide
from ecommerce.inventory.models import Reservation, StockLevel
from ecommerce.inventory.services import reservation_expire, stock_adjust
from ecommerce.orders.agent import sweep
from ecommerce.orders.models import Fulfillment, Order, OrderHold
from ecommerce.orders.reconcile import all_differences
from ecommerce.orders.services import hold_release, order_hold
from ecommerce.orders.services.quoting import Wanted
from ecommerce.payments.models import Payment
from ecommerce.warehouses.models import PickRequest, Warehouse
from ecommerce.warehouses.services import pick_short
from tests.factories.orders import make_customer, make_goods, make_order, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db):
    open_shop()


def suspicious(action: str = "score", weight: int = 50) -> None:
    """A rule that every order fires."""
    FraudRule.objects.update(enabled=False)
    FraudRule.objects.create(
        code="every",
        name="Every order",
        predicate={"fact": "total", "op": ">", "value": 0},
        weight=weight,
        action=action,
    )


def reread(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_a_suspicious_order_is_held_with_firm_stock_and_uncaptured_money(run_agents):
    suspicious()
    order = make_order(quantity=3)

    run_agents()

    order = reread(order)
    assert order.status == Order.Status.PENDING
    assert order.holds.get().reason == OrderHold.Reason.FRAUD
    assert FraudCase.objects.get().status == "open"
    payment = Payment.objects.get()
    assert (payment.status, payment.captured) == ("authorized", 0)
    reservation = Reservation.objects.get()
    assert (reservation.status, reservation.expires_at) == ("active", None)
    assert not Fulfillment.objects.exists()


def test_releasing_the_fraud_hold_lets_the_order_go_its_way_and_closes_the_case(run_agents):
    suspicious()
    order = make_order()
    run_agents()

    hold_release(order.holds.get(), note="I know them", actor="alice")
    run_agents()

    assert reread(order).status == Order.Status.SHIPPED
    case = FraudCase.objects.get()
    assert (case.status, case.decided_by) == ("approved", "alice")


def test_a_reviewer_who_rejects_cancels_the_order_and_everything_goes_back(run_agents):
    suspicious()
    order = make_order(quantity=3)
    run_agents()

    case_decide(FraudCase.objects.get(), decision="rejected", reason="stolen card", actor="alice")
    run_agents()

    assert reread(order).status == Order.Status.CANCELLED
    assert Payment.objects.get().status == "voided"
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (100, 0)
    assert all_differences() == []


def test_a_blocking_rule_cancels_without_a_person(run_agents):
    suspicious(action="block")
    order = make_order()

    run_agents()

    assert reread(order).status == Order.Status.CANCELLED
    assert not Payment.objects.exists()
    assert StockLevel.objects.get().reserved == 0


def test_an_order_that_nobody_assesses_is_held_and_released_by_a_late_approval(run_agents):
    order = make_order()
    long_ago = timezone.now() - timedelta(minutes=6)
    Order.objects.update(created_at=long_ago, updated_at=long_ago)

    sweep()

    hold = order.holds.get()
    assert (hold.reason, hold.note) == ("fraud", "Not assessed within 5 minutes.")
    assert RiskAssessment.objects.get().status == "pending"

    run_agents()

    assert not order.holds.filter(released_at=None).exists()
    assert reread(order).status == Order.Status.SHIPPED


def test_a_declined_payment_releases_the_stock_and_another_one_pays_the_order(run_agents, api):
    order = make_order(quantity=4, simulate="decline")

    run_agents()

    order = reread(order)
    assert (order.status, order.payment_status) == (Order.Status.PENDING, Order.Payment.FAILED)
    assert StockLevel.objects.get().reserved == 0

    body = {"order_id": order.pk, "payment_method": "paypal", "amount": str(order.total)}
    response = api.post("/api/payments", body)
    run_agents()

    assert response.status_code == 201
    assert reread(order).status == Order.Status.SHIPPED
    assert StockLevel.objects.get().on_hand == 96
    assert all_differences() == []


def test_an_unpaid_order_expires_and_gives_its_stock_back(run_agents):
    order = make_order(payment_method="")
    run_agents()
    past = timezone.now() - timedelta(minutes=5)
    Order.objects.update(expires_at=past, updated_at=past)

    sweep()

    assert reread(order).status == Order.Status.EXPIRED
    assert StockLevel.objects.get().reserved == 0
    assert all_differences() == []


def test_a_payment_without_an_answer_keeps_an_order_from_expiring(run_agents):
    order = make_order(simulate="silent")
    run_agents()
    past = timezone.now() - timedelta(hours=1)
    Order.objects.update(expires_at=past, updated_at=past)

    sweep()

    assert reread(order).status == Order.Status.PENDING
    assert StockLevel.objects.get().reserved == 2


def test_stock_that_expired_and_was_sold_meanwhile_holds_the_order(run_agents):
    goods = make_goods(stock=3)
    order = make_order(variant=goods, quantity=3)
    Reservation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    reservation_expire(subject=order.subject, actor="test")
    level = StockLevel.objects.get()
    stock_adjust(
        variant=goods, warehouse=level.warehouse, change=-2, reason="broken", actor="alice"
    )

    run_agents()

    hold = order.holds.get()
    assert hold.reason == OrderHold.Reason.STOCK
    assert "Available: 1, Requested: 3" in hold.note
    assert not Payment.objects.exists()


def test_a_short_pick_holds_the_order_and_no_shorter_parcel_leaves(run_agents):
    Warehouse.objects.update(automation="manual")
    order = make_order(quantity=2)
    run_agents()
    pick = PickRequest.objects.get()

    pick_short(pick, picked={order.items.get().sku: 1}, actor="bert")
    run_agents()

    assert order.holds.get(released_at=None).reason == OrderHold.Reason.STOCK
    assert Fulfillment.objects.get().status == Fulfillment.Status.CANCELLED
    assert Reservation.objects.get(status="active").quantity == 2

    Warehouse.objects.update(automation="auto")
    hold_release(order.holds.get(released_at=None), note="found it", actor="alice")
    run_agents()

    assert reread(order).status == Order.Status.SHIPPED
    assert all_differences() == []


def test_no_carrier_holds_the_order_and_the_release_tries_again(run_agents):
    order = make_order()
    Carrier.objects.update(is_active=False)

    run_agents()

    assert order.holds.get().reason == OrderHold.Reason.CARRIER
    assert Shipment.objects.get().tracking_number == ""

    Carrier.objects.update(is_active=True)
    hold_release(order.holds.get(), actor="alice")
    run_agents()

    assert reread(order).status == Order.Status.SHIPPED


def test_a_refused_capture_is_made_up_by_one_new_authorisation(run_agents):
    order = make_order(simulate="capture:decline")

    run_agents()

    order = reread(order)
    assert order.status == Order.Status.SHIPPED
    assert [p.status for p in Payment.objects.order_by("pk")] == ["voided", "captured"]
    assert all_differences() == []


def test_a_manual_hold_stops_everything_and_one_reason_holds_once(run_agents):
    order = make_order()
    first = order_hold(order, reason="manual", note="call first", actor="alice")
    second = order_hold(order, reason="manual", actor="bert")

    run_agents()

    assert first.pk == second.pk
    assert reread(order).status == Order.Status.PENDING

    hold_release(first, actor="alice")
    run_agents()

    assert reread(order).status == Order.Status.SHIPPED


def test_goods_of_one_variant_in_two_lines_are_summed(run_agents):
    goods = make_goods(stock=5)

    order = make_order(items=[Wanted(goods, 2), Wanted(goods, 3)], customer=make_customer())

    run_agents()

    assert reread(order).status == Order.Status.SHIPPED
    assert StockLevel.objects.get().on_hand == 0
    assert all_differences() == []
