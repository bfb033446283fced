"""The way of an order through the agents, from placing to delivery."""

from decimal import Decimal

import pytest
from django.utils import timezone

from ecommerce.carriers.agent import transit
from ecommerce.carriers.models import Shipment
from ecommerce.communications.models import OutboundMessage
from ecommerce.documents.models import Document
from ecommerce.inventory.models import StockLevel
from ecommerce.orders.models import Order
from ecommerce.orders.reconcile import all_differences
from ecommerce.payments.models import Payment
from messaging.models import Event
from tasks.models import Task
from tests.factories.orders import make_goods, make_order, open_shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shop(db):
    open_shop()


def deliver(run_agents) -> None:
    """The simulated carrier's journeys are over."""
    Shipment.objects.update(expected_at=timezone.now())
    transit()
    run_agents()


def test_an_order_travels_through_all_agents_to_its_customer(run_agents):
    goods = make_goods(price="12.50", stock=10)
    order = make_order(variant=goods, quantity=3)

    run_agents()

    order.refresh_from_db()
    assert (order.status, order.payment_status, order.fulfillment_status) == (
        Order.Status.SHIPPED,
        Order.Payment.PAID,
        Order.Fulfilled.FULFILLED,
    )
    payment = Payment.objects.get()
    assert (payment.status, payment.captured) == ("captured", order.total)
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved) == (7, 0)
    assert Document.objects.get().kind == "invoice"

    deliver(run_agents)

    order.refresh_from_db()
    assert order.status == Order.Status.DELIVERED
    order.customer.refresh_from_db()
    assert (order.customer.total_orders, order.customer.total_spent) == (1, order.total)
    assert all_differences() == []


def test_every_step_is_an_event_with_its_actor_and_a_task_that_ended_well(run_agents):
    order = make_order()

    run_agents()

    names = list(
        Event.objects.filter(entity_type="order", entity_id=str(order.pk))
        .exclude(type="order.status_computed")
        .order_by("pk")
        .values_list("type", "actor")
    )
    assert [name for name, _ in names] == [
        "order.placed",
        "order.confirmed",
        "order.processing",
        "order.shipped",
    ]
    assert all(actor.endswith("order_agent_v3") for _, actor in names[1:])
    assert set(Task.objects.values_list("status", flat=True)) == {"completed"}


def test_the_total_has_our_prices_our_tax_and_our_shipping(run_agents):
    goods = make_goods(price="10.00", weight_g=400)

    order = make_order(variant=goods, quantity=2)

    assert order.subtotal == Decimal("20.00")
    assert order.tax == Decimal("4.00")  # 20 % in the United Kingdom
    assert order.shipping_cost == Decimal("3.95")  # 800 g
    assert order.total == Decimal("27.95")


def test_the_customer_is_told_three_times(run_agents):
    order = make_order()

    run_agents()

    told = OutboundMessage.objects.filter(order_number=order.order_number).order_by("pk")
    assert [message.template.code for message in told] == [
        "order-confirmation",
        "invoice",
        "order-shipped",
    ]
    assert {message.status for message in told} == {"sent"}
