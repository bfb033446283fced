"""Tax rates: set by people, asked for by orders."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from ecommerce.pricing import events
from ecommerce.pricing.models import TaxRate
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.countries import country_code
from platform_site.common.errors import Invalid

NO_TAX = Decimal("0.0000")
STANDARD = "standard"


def tax_rate_for(*, country: str, tax_class: str, on: date) -> Decimal:
    """The share of the net price to add (0.2000 is 20 %) on a day; 0 where we owe no tax.

    `country` is a code or a name. A class without a rate of its own has the standard rate.
    """
    in_force = TaxRate.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=on),
        country=country_code(country),
        region="",
        tax_class__in={tax_class, STANDARD},
        valid_from__lte=on,
    ).order_by("-valid_from")
    rates: dict[str, Decimal] = {}
    for row in in_force:
        rates.setdefault(row.tax_class, row.rate)
    return rates.get(tax_class, rates.get(STANDARD, NO_TAX))


@requires("pricing:edit")
@transaction.atomic
def tax_rate_set(
    *,
    country: str,
    rate: Decimal,
    valid_from: date,
    tax_class: str = STANDARD,
    region: str = "",
    valid_to: date | None = None,
    actor: str,
) -> TaxRate:
    """A rate from one day on; the same day again replaces the number. Raises Invalid."""
    if not 0 <= rate < 1:
        raise Invalid("A tax rate is a share between 0 and 1, such as 0.20.", field="rate")
    if valid_to is not None and valid_to < valid_from:
        raise Invalid("The last day lies before the first.", field="valid_to")
    row, _ = TaxRate.objects.update_or_create(
        country=country.upper(),
        region=region,
        tax_class=tax_class,
        valid_from=valid_from,
        defaults={"rate": rate, "valid_to": valid_to},
    )
    facts = {"country": row.country, "region": region, "tax_class": tax_class}
    emit(events.TAX_RATE_SET, row, actor=actor, **facts, rate=rate, valid_from=valid_from)
    return row
