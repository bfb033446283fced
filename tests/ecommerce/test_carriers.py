"""Rates, labels and tracking, through the carrier agent and its simulated carrier."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.utils import timezone

from ecommerce.carriers import agent, first_run, services
from ecommerce.carriers.models import LabelAttempt, Shipment, SimulatedLabel, TrackingEvent
from ecommerce.carriers.services import NoService, shipping_quote
from ecommerce.carriers.services.rates import zone_of
from ecommerce.carriers.services.shipments import NotLabelled
from messaging.models import Event
from platform_site.common.errors import Invalid, TransitionNotAllowed
from tests.factories.carriers import LONDON, make_shipment

pytestmark = pytest.mark.django_db


def quote(country="GB", *, weight_g=2000, value="30.00", postal_code="", currency="GBP", **more):
    return shipping_quote(
        country=country,
        postal_code=postal_code,
        weight_g=weight_g,
        value=Decimal(value),
        currency=currency,
        **more,
    )


def happened():
    rows = Event.objects.filter(entity_type="shipment").order_by("pk")
    return list(rows.values_list("type", flat=True))


def labelled(run_agents, **more):
    shipment = make_shipment(**more)
    run_agents()
    shipment.refresh_from_db()
    return shipment


def test_carriers_are_listed_with_their_services(api):
    first_run.ensure(actor="test")

    row = api.get("/api/carriers").json()["carriers"][0]

    assert row["supported_services"] == ["economy", "standard", "express"]
    assert api.get(f"/api/carriers/{row['id']}").json() == row
    assert api.get("/api/carriers/99").status_code == 404


@pytest.mark.parametrize(
    ("country", "weight_g", "value", "service", "amount"),
    [
        ("GB", 1000, "5", "standard", "3.95"),
        ("United Kingdom", 1001, "5", "standard", "5.95"),
        ("EIRE", 5000, "5", "economy", "12.95"),
        ("JP", 25_000, "5", "economy", "149.95"),
        ("GB", None, "50", "standard", "3.95"),
        ("GB", None, "50.01", "standard", "6.95"),
        ("France", None, "1000.01", "economy", "64.95"),
        ("Unspecified", None, "20", "economy", "19.95"),
    ],
)
def test_the_cheapest_service_of_the_zone_and_bracket_wins(
    country, weight_g, value, service, amount
):
    first_run.ensure(actor="test")

    best = quote(country, weight_g=weight_g, value=value)

    assert (best.service.code, best.amount) == (service, Decimal(amount))


def test_a_quote_says_why_the_other_services_lost():
    first_run.ensure(actor="test")

    assert quote("GB").decision == {
        "zone": "uk",
        "won": {"service": "standard", "amount": "5.95", "measure": "weight"},
        "lost": {"economy": "has no rate to United Kingdom", "express": "9.95 GBP"},
    }


def test_the_most_specific_zone_rule_wins():
    first_run.ensure(actor="test")
    north = services.zone_create(code="north", name="Highlands", countries=[], actor="test")
    north.rules.create(country="GB", postal_prefix="IV")
    north.rules.create(country="GB", postal_prefix="IV27")

    assert zone_of(country="GB", postal_code="IV27 4AA") == north
    assert zone_of(country="GB", postal_code="SW1Y 4JH").code == "uk"
    assert zone_of(country="AQ", postal_code="IV27").code == "world"


@pytest.mark.parametrize("more", [{"weight_g": 31_000}, {"currency": "USD"}])
def test_what_nobody_carries_is_refused(more):
    first_run.ensure(actor="test")

    with pytest.raises(NoService):
        quote("GB", **more)


def test_the_agent_rates_and_buys_one_label(run_agents):
    shipment = labelled(run_agents)

    assert (shipment.status, shipment.service.code) == ("labelled", "standard")
    assert shipment.cost == Decimal("5.95")
    assert shipment.tracking_number == SimulatedLabel.objects.get().tracking_number
    assert "SW1Y 4JH London" in shipment.label
    assert happened() == ["shipment.requested", "shipment.rated", "shipment.labelled"]
    assert Event.objects.get(type="shipment.labelled").data == {
        "subject": "orders.fulfillment:9",
        "order_number": "ORD-000007",
        "tracking_number": shipment.tracking_number,
    }


def test_the_same_subject_is_one_shipment(run_agents):
    first, again = make_shipment(), make_shipment(weight_g=9000)
    run_agents()

    assert first.pk == again.pk
    assert Shipment.objects.get().weight_g == 2000
    assert SimulatedLabel.objects.count() == 1


def test_a_lost_answer_costs_one_label(run_agents):
    shipment = labelled(run_agents, simulate="lost_answer")

    label = SimulatedLabel.objects.get()
    assert (shipment.status, shipment.tracking_number) == ("labelled", label.tracking_number)
    assert label.answers == 2
    assert LabelAttempt.objects.get().phase == "bought"


def test_a_process_that_dies_after_the_label_was_printed_buys_no_second_one(run_agents):
    shipment = make_shipment()
    offer = quote("GB")
    services.shipment_rate(shipment, quote=offer, actor="test")
    attempt = services.attempt_open(shipment, actor="test")
    printed = agent._buy(attempt)

    run_agents()

    shipment.refresh_from_db()
    assert (shipment.status, shipment.tracking_number) == ("labelled", printed.tracking_number)
    assert SimulatedLabel.objects.count() == 1


def test_where_every_service_refuses_somebody_has_to_decide(run_agents):
    shipment = labelled(run_agents, simulate="refuse")

    assert (shipment.status, shipment.tracking_number) == ("pending", "")
    keys = LabelAttempt.objects.values_list("idempotency_key", "phase")
    assert list(keys) == [
        (f"label:{shipment.pk}:1", "refused"),
        (f"label:{shipment.pk}:2", "refused"),
    ]
    assert Event.objects.get(type="shipment.label_failed").data["reason"] == (
        "No service takes a parcel of 2000 g to United Kingdom at a price in GBP."
    )
    Shipment.objects.update(simulate="")
    services.shipment_retry(shipment, actor="alice")
    run_agents()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.failure) == ("labelled", "")


def test_a_released_parcel_is_scanned_and_arrives_after_its_journey(run_agents):
    shipment = labelled(run_agents)

    services.shipment_release(subject=shipment.subject, actor="alice")
    services.shipment_release(subject=shipment.subject, actor="alice")
    run_agents()
    agent.transit()

    shipment.refresh_from_db()
    assert shipment.status == "in_transit"
    assert shipment.expected_at - shipment.scanned_at == timedelta(seconds=60)
    arrive()
    shipment.refresh_from_db()
    assert (shipment.status, shipment.delivered_at) == ("delivered", shipment.expected_at)
    assert happened()[3:] == ["shipment.released", "shipment.in_transit", "shipment.delivered"]


def arrive():
    an_hour = timedelta(hours=1)
    for shipment in Shipment.objects.exclude(expected_at=None):
        Shipment.objects.filter(pk=shipment.pk).update(expected_at=shipment.expected_at - an_hour)
    agent.transit()
    agent.transit()


@pytest.mark.parametrize(("fault", "status"), [("return", "returned"), ("lose", "lost")])
def test_a_parcel_that_does_not_arrive_is_told_once(run_agents, fault, status):
    shipment = labelled(run_agents, simulate=fault)
    services.shipment_release(subject=shipment.subject, actor="alice")
    run_agents()

    arrive()

    shipment.refresh_from_db()
    assert shipment.status == status
    assert Event.objects.get(type="shipment.failed").data["outcome"] == status


def test_a_parcel_without_a_label_is_not_handed_over():
    shipment = make_shipment()

    with pytest.raises(NotLabelled):
        services.shipment_release(subject=shipment.subject, actor="alice")

    assert happened() == ["shipment.requested"]


def test_a_label_is_given_back_once_and_before_the_first_scan(run_agents):
    shipment = labelled(run_agents)

    services.shipment_void(subject=shipment.subject, actor="alice")
    assert services.shipment_void(subject=shipment.subject, actor="alice") is None
    run_agents()

    assert SimulatedLabel.objects.get().is_voided
    assert happened().count("shipment.voided") == 1
    assert services.shipment_void(subject="orders.fulfillment:99", actor="alice") is None


def test_after_the_first_scan_nothing_is_given_back(run_agents):
    shipment = labelled(run_agents)
    services.shipment_release(subject=shipment.subject, actor="alice")
    run_agents()

    with pytest.raises(TransitionNotAllowed):
        services.shipment_void(subject=shipment.subject, actor="alice")

    assert not SimulatedLabel.objects.get().is_voided


def test_a_shipment_voided_before_the_agent_came_buys_nothing(run_agents):
    shipment = make_shipment()
    services.shipment_void(subject=shipment.subject, actor="alice")

    run_agents()

    assert Shipment.objects.get().status == "voided"
    assert not SimulatedLabel.objects.exists()


def test_a_shipment_voided_while_its_label_was_bought_gives_it_back(run_agents):
    shipment = make_shipment()
    services.shipment_rate(shipment, quote=quote("GB"), actor="test")
    attempt = services.attempt_open(shipment, actor="test")
    agent._buy(attempt)
    services.shipment_void(subject=shipment.subject, actor="alice")

    run_agents()

    assert Shipment.objects.get().status == "voided"
    assert SimulatedLabel.objects.get().is_voided
    assert LabelAttempt.objects.get().phase == "bought"


SCANS = ("in_transit", "exception", "out_for_delivery", "delivered")


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_shuffled_tracking_ends_in_the_same_state(run_agents, order):
    shipment = labelled(run_agents)
    start = timezone.now()
    for number in (*order, *order):
        at = start + timedelta(hours=number)
        services.tracking_record(shipment, code=SCANS[number], at=at, actor="test")

    shipment.refresh_from_db()
    assert (shipment.status, shipment.delivered_at) == ("delivered", start + timedelta(hours=3))
    assert list(shipment.events.values_list("code", flat=True)) == list(SCANS)
    assert happened().count("shipment.delivered") == 1
    assert happened().count("shipment.in_transit") == 1


def test_an_unknown_scan_and_one_of_a_parcel_nobody_has_are_refused(run_agents):
    shipment = make_shipment()
    for code in ("delivered", "teleported"):
        with pytest.raises(Invalid):
            services.tracking_record(shipment, code=code, at=timezone.now(), actor="test")

    assert not TrackingEvent.objects.exists()


def test_scans_and_attempts_are_never_deleted(run_agents):
    shipment = labelled(run_agents)
    services.tracking_record(shipment, code="in_transit", at=timezone.now(), actor="test")

    for row in (TrackingEvent.objects.get(), LabelAttempt.objects.get()):
        with pytest.raises(TypeError):
            row.delete()


def test_a_parcel_to_nowhere_in_particular_goes_to_the_rest_of_the_world(run_agents):
    shipment = labelled(run_agents, to_address={**LONDON, "country": "Unspecified"})

    assert shipment.decision["zone"] == "world"
