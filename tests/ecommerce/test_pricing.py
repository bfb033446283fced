"""Tax rates by country, class and day."""

from datetime import date
from decimal import Decimal

import pytest

from ecommerce.pricing import first_run
from ecommerce.pricing.models import TaxRate
from ecommerce.pricing.services import tax_rate_for, tax_rate_set
from messaging.models import Event
from platform_site.common.errors import Invalid

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)


def rate(country="GB", tax_class="standard", on=TODAY):
    return tax_rate_for(country=country, tax_class=tax_class, on=on)


@pytest.mark.parametrize(
    ("country", "share"),
    [
        ("GB", "0.20"),
        ("United Kingdom", "0.20"),
        ("DE", "0.19"),
        ("EIRE", "0.23"),
        ("US", "0"),
        ("Unspecified", "0"),
    ],
)
def test_each_country_has_its_rate_and_elsewhere_we_owe_none(country, share):
    first_run.ensure(actor="test")

    assert rate(country) == Decimal(share)


def test_a_rate_counts_from_its_first_day_to_its_last():
    for share, first, last in (("0.10", 1, 10), ("0.12", 11, None)):
        tax_rate_set(
            country="GB",
            rate=Decimal(share),
            valid_from=date(2026, 1, first),
            valid_to=last and date(2026, 1, last),
            actor="test",
        )

    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 10), date(2026, 1, 11)]
    shares = [rate(on=day) for day in days]
    assert shares == [Decimal(0), Decimal("0.10"), Decimal("0.10"), Decimal("0.12")]


def test_a_class_without_a_rate_of_its_own_has_the_standard_rate():
    first_run.ensure(actor="test")
    tax_rate_set(country="GB", tax_class="books", rate=Decimal(0), valid_from=TODAY, actor="test")

    assert (rate(tax_class="books"), rate(tax_class="toys")) == (Decimal(0), Decimal("0.20"))


@pytest.mark.parametrize("share", ["-0.01", "1", "20"])
def test_a_rate_is_a_share_and_not_a_percentage(share):
    with pytest.raises(Invalid):
        tax_rate_set(country="GB", rate=Decimal(share), valid_from=TODAY, actor="test")

    assert not TaxRate.objects.exists()
    assert not Event.objects.exists()


def test_the_first_run_leaves_rates_alone_that_somebody_set():
    tax_rate_set(country="GB", rate=Decimal("0.15"), valid_from=date(2010, 1, 1), actor="alice")

    first_run.ensure(actor="test")
    first_run.ensure(actor="test")

    assert rate() == Decimal("0.15")
    assert TaxRate.objects.filter(country="DE").count() == 1
