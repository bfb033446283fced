"""Carriers, zones and rates: reference data with a history."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction

from ecommerce.carriers import events
from ecommerce.carriers.models import Carrier, CarrierService, RateRule, Zone, ZoneRule
from messaging.events import emit
from platform_site.common.access import requires

# code, name, transit days, seconds of the simulated journey, heaviest parcel in grams
ServiceLine = tuple[str, str, int, int, int | None]


@requires("carriers:edit")
@transaction.atomic
def carrier_create(
    *,
    code: str,
    name: str,
    tracking_url_template: str = "",
    services: Iterable[ServiceLine] = (),
    actor: str,
) -> Carrier:
    """A further carrier, reached through the simulator, with its services."""
    carrier = Carrier.objects.create(
        code=code, name=name, tracking_url_template=tracking_url_template
    )
    CarrierService.objects.bulk_create(
        CarrierService(
            carrier=carrier,
            code=line[0],
            name=line[1],
            transit_days=line[2],
            simulated_transit_s=line[3],
            max_weight_g=line[4],
        )
        for line in services
    )
    emit(events.CARRIER_CREATED, carrier, actor=actor, code=code)
    return carrier


@requires("carriers:edit")
@transaction.atomic
def zone_create(*, code: str, name: str, countries: Iterable[str], actor: str) -> Zone:
    """A further zone over whole countries; an empty country is the rest of the world."""
    zone = Zone.objects.create(code=code, name=name)
    ZoneRule.objects.bulk_create(ZoneRule(zone=zone, country=country) for country in countries)
    emit(events.ZONE_CREATED, zone, actor=actor, code=code)
    return zone


@requires("carriers:edit")
@transaction.atomic
def rate_set(
    *,
    service: CarrierService,
    zone: Zone,
    measure: str,
    up_to: Decimal | None,
    amount: Decimal,
    currency: str,
    actor: str,
) -> RateRule:
    """The price of one bracket; set before, the new price."""
    rule, _ = RateRule.objects.update_or_create(
        service=service,
        zone=zone,
        measure=measure,
        up_to=up_to,
        currency=currency,
        defaults={"amount": amount},
    )
    facts = {"service": service.code, "zone": zone.code, "up_to": up_to, "amount": amount}
    emit(events.RATE_SET, rule, actor=actor, measure=measure, **facts)
    return rule
