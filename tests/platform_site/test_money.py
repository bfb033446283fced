"""Amounts and quantities."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_site.common.errors import Invalid
from platform_site.common.money import CENT, rounded, spread
from platform_site.common.quantities import quantity

amounts = st.decimals(min_value=0, max_value=10**6, places=2)


@given(amounts, st.lists(amounts, min_size=1, max_size=30))
def test_the_parts_of_an_amount_add_up_to_it(amount, weights):
    parts = spread(amount, weights)

    assert sum(parts) == (amount if sum(weights) else 0)
    assert all(part >= 0 for part in parts)


@given(amounts, st.lists(amounts.filter(bool), min_size=1, max_size=30))
def test_no_part_is_a_cent_away_from_its_share(amount, weights):
    total = sum(weights)

    for part, weight in zip(spread(amount, weights), weights, strict=True):
        assert abs(part - amount * weight / total) <= CENT


def test_half_a_cent_is_rounded_up():
    assert rounded(Decimal("0.125")) == Decimal("0.13")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("1Gi", str(1024**3)),
        ("2", "2"),
        (2, "2"),
        (0.5, "0.5"),
        ("1e3", "1000"),
        ("32G", "32000000000"),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text, number):
    assert quantity(text, key="memory") == Decimal(number)


@pytest.mark.parametrize("text", ["-1", "one", "1Zi", "", "NaN", True, None, [], "1e999"])
def test_what_is_no_quantity_is_refused_by_name(text):
    with pytest.raises(Invalid, match="memory"):
        quantity(text, key="memory")
