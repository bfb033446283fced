"""The tax rates that a fresh installation starts with."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from ecommerce.pricing.models import TaxRate
from ecommerce.pricing.services import tax_rate_set

# Standard rates and the day from which they have applied; a country without a line owes us no tax.
STANDARD_RATES: dict[str, tuple[str, date]] = {
    "AT": ("0.20", date(1984, 1, 1)),
    "BE": ("0.21", date(1996, 1, 1)),
    "DE": ("0.19", date(2007, 1, 1)),
    "ES": ("0.21", date(2012, 9, 1)),
    "FR": ("0.20", date(2014, 1, 1)),
    "GB": ("0.20", date(2011, 1, 4)),
    "IE": ("0.23", date(2012, 1, 1)),
    "IT": ("0.22", date(2013, 10, 1)),
    "NL": ("0.21", date(2012, 10, 1)),
    "PL": ("0.23", date(2011, 1, 1)),
    "PT": ("0.23", date(2011, 1, 1)),
}


@transaction.atomic
def ensure(*, actor: str) -> None:
    """Every country of the table has a standard rate; rates that somebody set are left alone."""
    known = set(TaxRate.objects.values_list("country", flat=True))
    for country, (rate, since) in STANDARD_RATES.items():
        if country not in known:
            tax_rate_set(country=country, rate=Decimal(rate), valid_from=since, actor=actor)
