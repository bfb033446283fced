"""The cancel chain: at every state, with and without capture, once and twice."""

import pytest

from ecommerce.documents.models import Document
from ecommerce.inventory.models import StockLevel
from ecommerce.orders.models import Fulfillment, Order
from ecommerce.orders.reconcile import all_differences
from ecommerce.orders.services import order_advance, order_cancel, order_hold
from ecommerce.payments.models import Payment, Refund
from ecommerce.warehouses.models import PickRequest, Warehouse
from ecommerce.warehouses.services import pack_complete, pick_complete
from messaging.models import Event
from platform_site.common.errors import TransitionNotAllowed
from tests.factories.orders import make_order, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db):
    open_shop()


def all_is_back(order: Order) -> None:
    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (100, 0)
    for payment in Payment.objects.all():
        assert payment.captured == payment.refunded
        assert payment.authorized == payment.captured + payment.voided
    assert all_differences() == []


def placed(run_agents) -> Order:
    return make_order(quantity=4)


def held(run_agents) -> Order:
    order = make_order(quantity=4)
    order_hold(order, reason="manual", actor="alice")
    run_agents()
    return order


def picking(run_agents) -> Order:
    Warehouse.objects.update(automation="manual")
    order = make_order(quantity=4)
    run_agents()
    return order


def picked(run_agents) -> Order:
    order = picking(run_agents)
    pick_complete(PickRequest.objects.get(), actor="bert")
    run_agents()
    return order


def labelled_and_captured(run_agents) -> Order:
    """Packed, labelled, paid and invoiced; a hold came before the carrier did."""
    order = picked(run_agents)
    pack_complete(PickRequest.objects.get(), weight_g=2000, actor="bert")
    # One step at a time: the label is bought, the money captured, then somebody says stop.
    order_advance(order, actor="test")
    order_hold(order, reason="manual", actor="alice")
    run_agents()
    return order


STATES = [placed, held, picking, picked, labelled_and_captured]


@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
def test_a_cancelled_order_gives_back_stock_and_money(reach, run_agents, api):
    order = reach(run_agents)

    response = api.post(f"/api/orders/{order.pk}/cancel", {"reason": "changed my mind"})
    run_agents()

    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    all_is_back(order)
    assert not Fulfillment.objects.exclude(status="cancelled").exists()
    assert not order.holds.filter(released_at=None).exists()


@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
def test_cancelling_twice_undoes_nothing_twice(reach, run_agents, api):
    order = reach(run_agents)
    api.post(f"/api/orders/{order.pk}/cancel", {})
    run_agents()
    events = Event.objects.exclude(type__startswith="task.").count()

    response = api.post(f"/api/orders/{order.pk}/cancel", {})
    run_agents()
    order_advance(order, actor="test")

    assert response.status_code == 409
    assert response.json()["detail"].endswith("is cancelled, which is final.")
    assert Event.objects.exclude(type__startswith="task.").count() == events
    all_is_back(order)


def test_a_captured_and_invoiced_order_is_refunded_and_credited(run_agents, api):
    order = make_order(quantity=4, payment_method="")
    run_agents()
    order_hold(order, reason="manual", actor="alice")
    body = {"order_id": order.pk, "payment_method": "credit_card", "amount": str(order.total)}
    api.post("/api/payments", body)
    run_agents()
    assert Payment.objects.get().status == "captured"

    api.post(f"/api/orders/{order.pk}/cancel", {})
    run_agents()

    all_is_back(order)
    assert Refund.objects.get().amount == order.total
    order.refresh_from_db()
    assert order.payment_status == Order.Payment.REFUNDED


def test_the_invoice_of_a_cancelled_order_gets_its_credit_note(run_agents, api):
    order = labelled_and_captured(run_agents)
    assert Document.objects.filter(kind="invoice").count() == 1

    api.post(f"/api/orders/{order.pk}/cancel", {})
    run_agents()

    note = Document.objects.get(kind="credit_note")
    assert note.snapshot["total"] == str(-order.total)
    all_is_back(order)


def test_a_shipped_order_cannot_be_cancelled_and_nothing_happens(run_agents, api):
    order = make_order()
    run_agents()
    events = Event.objects.count()

    response = api.post(f"/api/orders/{order.pk}/cancel", {})

    assert response.status_code == 409
    assert response.json()["code"] == "already_shipped"
    assert Event.objects.count() == events
    assert Payment.objects.get().status == "captured"


def test_of_two_concurrent_cancels_one_wins():
    order = make_order()
    same_order = Order.objects.get(pk=order.pk)
    order_cancel(order, actor="alice")

    with pytest.raises(TransitionNotAllowed, match="final"):
        order_cancel(same_order, actor="carol")

    assert Event.objects.filter(type="order.cancelled").count() == 1
