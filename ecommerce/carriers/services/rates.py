"""What carrying costs: the zone of an address, the brackets of each service, the best of them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ecommerce.carriers.models import CarrierService, RateRule, Zone, ZoneRule
from platform_site.common.countries import country_code, country_name
from platform_site.common.errors import Refusal


class NoService(Refusal):
    """No carrier goes there with such a parcel."""

    code = "no_service"


@dataclass(frozen=True)
class Quote:
    """The best offer for a parcel, and what became of the other services."""

    amount: Decimal
    currency: str
    service: CarrierService
    zone: Zone
    decision: dict[str, Any] = field(default_factory=dict)


def zone_of(*, country: str, postal_code: str) -> Zone | None:
    """The zone whose rule fits best: the longest postcode prefix, a country, then the rest."""
    code = country_code(country)
    place = postal_code.replace(" ", "").upper()
    rules = ZoneRule.objects.select_related("zone").filter(
        country__in={code, ""}, zone__is_active=True
    )
    fitting = [rule for rule in rules if place.startswith(rule.postal_prefix.upper())]
    best = max(fitting, key=lambda r: (bool(r.country), len(r.postal_prefix)), default=None)
    return best.zone if best else None


def shipping_quote(
    *,
    country: str,
    postal_code: str,
    weight_g: int | None,
    value: Decimal,
    currency: str,
    without: frozenset[int] = frozenset(),
) -> Quote:
    """The cheapest service to an address, of equals the fastest. Raises NoService.

    Without a weight the brackets by value of the goods count. `without` are services that refused.
    """
    zone = zone_of(country=country, postal_code=postal_code)
    if zone is None:
        raise NoService(f"No carrier goes to {country_name(country)} {postal_code}.".strip())
    offers, losers = _offers(zone, weight_g, value, currency, without)
    if not offers:
        parcel = f"a parcel of {weight_g} g" if weight_g else "such a parcel"
        raise NoService(
            f"No service takes {parcel} to {zone.name} at a price in {currency}.", services=losers
        )
    best, *others = sorted(offers, key=lambda rule: (rule.amount, rule.service.transit_days))
    losers |= {rule.service.code: f"{rule.amount} {currency}" for rule in others}
    won = {"service": best.service.code, "amount": str(best.amount), "measure": best.measure}
    decision = {"zone": zone.code, "won": won, "lost": losers}
    return Quote(best.amount, currency, best.service, zone, decision)


def _offers(
    zone: Zone, weight_g: int | None, value: Decimal, currency: str, without: frozenset[int]
) -> tuple[list[RateRule], dict[str, str]]:
    """The fitting bracket of each service, and why the other services make no offer."""
    measure = RateRule.Measure.PRICE if weight_g is None else RateRule.Measure.WEIGHT
    amount = value if weight_g is None else Decimal(weight_g)
    rules = RateRule.objects.select_related("service__carrier").filter(
        zone=zone, measure=measure, currency=currency
    )
    brackets: dict[int, list[RateRule]] = {}
    for rule in rules:
        brackets.setdefault(rule.service_id, []).append(rule)
    offers: list[RateRule] = []
    losers: dict[str, str] = {}
    active = CarrierService.objects.filter(is_active=True, carrier__is_active=True)
    for service in active.select_related("carrier"):
        reason = _excluded(service, weight_g, without)
        bracket = None if reason else _bracket(brackets.get(service.pk, []), amount)
        if bracket is None:
            losers[service.code] = reason or f"has no rate to {zone.name}"
        else:
            offers.append(bracket)
    return offers, losers


def _excluded(service: CarrierService, weight_g: int | None, without: frozenset[int]) -> str:
    if service.pk in without:
        return "refused the parcel"
    if service.max_weight_g is not None and (weight_g or 0) > service.max_weight_g:
        return f"takes at most {service.max_weight_g} g"
    return ""


def _bracket(rules: list[RateRule], amount: Decimal) -> RateRule | None:
    """The narrowest bracket that holds the amount; one without a limit holds everything."""
    fitting = [rule for rule in rules if rule.up_to is None or amount <= rule.up_to]
    return min(fitting, key=lambda r: (r.up_to is None, r.up_to or 0), default=None)
