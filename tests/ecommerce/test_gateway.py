"""The fleet and the overview in the Commerce API."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ecommerce.agents import AGENTS
from ecommerce.orders.models import Order
from ecommerce.payments.models import Payment
from ecommerce.products.models import Merchant
from ecommerce.registration import register_builtin_agents
from registry.models import Presence
from tests.factories.anything import make_anything
from tests.factories.registry import make_agent

pytestmark = pytest.mark.django_db

CLIENT_NAMES = (
    *("order_agent", "product_agent", "inventory_agent", "customer_agent", "carrier_agent"),
    *("payment_agent", "returns_agent", "fraud_detection", "recommendation", "warehouse"),
    *("marketplace", "pricing", "transport", "communication", "infrastructure", "promotion"),
    *("after_sales", "monitoring", "ai_monitoring", "risk_detection", "backoffice"),
    *("quality_control", "documents", "knowledge", "support"),
)


def make_sold(total, currency, **more):
    total = Decimal(total)
    given = {"placed_at": timezone.now(), "subtotal": total, "total": total, **more}
    return make_anything(Order, currency=currency, **given)


@pytest.mark.parametrize("port", ["80", "8100"])
def test_the_fleet_is_listed_with_outside_agents(api, port):
    register_builtin_agents()
    make_agent("hermes-agent")

    answer = api.get("/api/agents", SERVER_PORT=port).json()

    assert answer["total"] == 28
    agents = {agent["agent_id"]: agent for agent in answer["agents"]}
    order = agents["order_agent_v3"]
    assert (order["id"], order["port"], order["builtin"]) == ("order_agent", 8000, True)
    assert order["category"] == "Core Business"
    assert order["version"] == "3.0.0"
    assert agents["hermes-agent"]["builtin"] is False
    assert agents["hermes-agent"]["port"] is None
    for spec in AGENTS:
        agent = agents[spec.agent_id]
        assert agent["implemented"] is spec.is_implemented
        assert agent["status"] == ("online" if spec.is_implemented else "offline")


def test_what_nobody_measured_is_null(api):
    make_agent("w")

    agent = api.get("/api/agents/w").json()

    unknown = ("cpu_usage", "memory_usage", "response_time", "error_rate")
    assert [agent[name] for name in unknown] == [None] * 4
    assert agent["health"]["last_probe"] is None
    assert (agent["active_tasks"], agent["queue"]) == (0, 0)


def test_what_the_agent_reported_and_did_is_shown(api):
    agent = make_agent("w")
    Presence.objects.filter(agent=agent).update(
        load_metrics={"cpu_usage": 0.25}, success=0.9, average_s=0.05
    )

    shown = api.get("/api/agents/w").json()

    assert (shown["cpu_usage"], shown["response_time"], shown["error_rate"]) == (0.25, 50.0, 0.1)


@pytest.mark.parametrize("name", CLIENT_NAMES)
def test_an_agent_is_found_by_the_name_that_clients_use(api, name):
    register_builtin_agents()

    assert api.get(f"/api/agents/{name}").json()["id"] == name


def test_an_agent_is_found_by_slug_and_by_id(api):
    register_builtin_agents()

    for name in ("fraud", "fraud_detection", "fraud_detection_agent_v3"):
        assert api.get(f"/api/agents/{name}").json()["agent_id"] == "fraud_detection_agent_v3"
    assert api.get("/api/agents/nobody").status_code == 404


@pytest.mark.parametrize(
    ("reported", "silent_s", "status", "health"),
    [
        ("active", 0, "online", "healthy"),
        ("degraded", 0, "online", "warning"),
        ("error", 0, "online", "critical"),
        ("active", 90, "offline", "offline"),
        ("active", 500, "offline", "offline"),
    ],
)
def test_the_words_of_this_api_follow_from_the_state(api, reported, silent_s, status, health):
    make_agent("w", reported=reported, silent_s=silent_s)

    agent = api.get("/api/agents/w").json()

    assert (agent["status"], agent["health_status"]) == (status, health)


def test_the_counts_are_of_rows(api):
    make_agent("a")
    make_agent("b", silent_s=90)

    stats = api.get("/api/agents/stats").json()

    assert stats == {"total": 2, "online": 1, "offline": 1, "uptime_percentage": None}


def test_the_fleet_answers_on_no_other_agents_port(api):
    assert api.get("/api/agents", SERVER_PORT="8001").status_code == 404
    assert api.get("/agents", SERVER_PORT="8100").status_code == 200


def test_a_list_costs_the_same_queries_for_two_agents_as_for_twenty(api, django_assert_num_queries):
    make_agent("a")
    make_agent("b")
    api.get("/api/agents")
    with django_assert_num_queries(4):  # key, its role, count, page
        api.get("/api/agents")

    for number in range(18):
        make_agent(f"w-{number}")

    with django_assert_num_queries(4):
        api.get("/api/agents")


def test_the_overview_is_made_of_rows(api):
    now = timezone.now()
    make_agent("w", silent_s=90)
    sold = (("confirmed", "10.50", 1), ("delivered", 4, 30), ("cancelled", 9, 1))
    for status, total, age_h in sold:
        make_sold(total, "GBP", status=status, placed_at=now - timedelta(hours=age_h))
    number = Order.objects.get(status="delivered").order_number
    paid = {"amount": 4, "authorized": 4, "captured": 4, "refunded": Decimal("1.25")}
    make_anything(Payment, order_number=number, **paid)

    body = api.get("/api/system/overview").json()

    assert body["agents"] == {"total": 1, "online": 0, "offline": 1}
    assert body["entities"]["orders"] == 3
    assert body["entities"]["merchants"] == Merchant.objects.count()
    assert body["activity"] == {
        "orders_24h": 2,
        "revenue_total": 13.25,
        "revenue_by_currency": {"GBP": "13.25"},
        "active_alerts": None,
    }
    assert body["uptime"] == "unknown"
    assert api.get("/api/system/overview", SERVER_PORT="8100").json()["entities"]["orders"] == 3


def test_sums_over_several_currencies_are_not_one_figure(api):
    for currency in ("GBP", "EUR"):
        make_sold(10, currency)

    activity = api.get("/api/system/overview").json()["activity"]

    assert activity["revenue_total"] is None
    assert activity["revenue_by_currency"] == {"EUR": "10.00", "GBP": "10.00"}


def test_an_empty_house_earned_nothing(api):
    body = api.get("/api/system/overview").json()

    assert body["activity"]["revenue_total"] == 0
    assert body["agents"] == {"total": 0, "online": 0, "offline": 0}
