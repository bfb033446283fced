"""The simulated carrier, the zones and the rates that a fresh installation starts with."""

from decimal import Decimal

from django.db import transaction

from ecommerce.carriers.models import Carrier
from ecommerce.carriers.services import carrier_create, rate_set, zone_create

EUROPE = [
    "AD",
    "AL",
    "AT",
    "AX",
    "BA",
    "BE",
    "BG",
    "BY",
    "CH",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FO",
    "FR",
    "GG",
    "GI",
    "GR",
    "HR",
    "HU",
    "IE",
    "IM",
    "IS",
    "IT",
    "JE",
    "LI",
    "LT",
    "LU",
    "LV",
    "MC",
    "MD",
    "ME",
    "MK",
    "MT",
    "NL",
    "NO",
    "PL",
    "PT",
    "RO",
    "RS",
    "SE",
    "SI",
    "SK",
    "SM",
    "UA",
    "VA",
]
ZONES = {"uk": ("United Kingdom", ["GB"]), "europe": ("Europe", EUROPE), "world": ("World", [""])}
SERVICES = (  # code, name, transit days, seconds of the simulated journey, heaviest parcel
    ("economy", "Economy", 5, 90, 30_000),
    ("standard", "Standard", 3, 60, 30_000),
    ("express", "Express", 1, 30, 20_000),
)
# Pounds for each zone: up to 1, 5 and 20 kg, and whatever weighs more.
WEIGHT_BRACKETS = (1_000, 5_000, 20_000, None)
BY_WEIGHT = {
    ("standard", "uk"): ("3.95", "5.95", "9.95", "24.95"),
    ("standard", "europe"): ("9.95", "14.95", "29.95", "59.95"),
    ("economy", "europe"): ("7.95", "12.95", "26.95", "54.95"),
    ("economy", "world"): ("14.95", "29.95", "79.95", "149.95"),
    ("express", "uk"): ("7.95", "9.95", "15.95", "34.95"),
    ("express", "europe"): ("19.95", "29.95", "59.95", "119.95"),
    ("express", "world"): ("29.95", "59.95", "129.95", "249.95"),
}
# The same for goods whose weight nobody knows, by their value: up to 50, 250 and 1000, and more.
VALUE_BRACKETS = (50, 250, 1_000, None)
BY_VALUE = {
    ("standard", "uk"): ("3.95", "6.95", "12.95", "24.95"),
    ("economy", "europe"): ("9.95", "16.95", "34.95", "64.95"),
    ("economy", "world"): ("19.95", "39.95", "89.95", "159.95"),
}


@transaction.atomic
def ensure(*, actor: str) -> None:
    """One simulated carrier with three services to three zones, where there is no carrier yet."""
    if Carrier.objects.exists():
        return
    carrier = carrier_create(
        code="simulated-parcels",
        name="Simulated Parcels",
        tracking_url_template="",
        services=SERVICES,
        actor=actor,
    )
    services = {service.code: service for service in carrier.services.all()}
    zones = {
        code: zone_create(code=code, name=name, countries=countries, actor=actor)
        for code, (name, countries) in ZONES.items()
    }
    for measure, table, brackets in (
        ("weight", BY_WEIGHT, WEIGHT_BRACKETS),
        ("price", BY_VALUE, VALUE_BRACKETS),
    ):
        for (service, zone), amounts in table.items():
            for up_to, amount in zip(brackets, amounts, strict=True):
                rate_set(
                    service=services[service],
                    zone=zones[zone],
                    measure=measure,
                    up_to=None if up_to is None else Decimal(up_to),
                    amount=Decimal(amount),
                    currency="GBP",
                    actor=actor,
                )
