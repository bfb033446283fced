"""Amounts of money: exact decimals, one currency for each aggregate root."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


class MoneyField(models.DecimalField):
    """An amount up to ten digits before the point, two after; the currency stands on the root."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 12)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


def rounded(amount: Decimal) -> Decimal:
    """Rounded half up to the cent, as invoices are."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Divide `amount` over `weights` so that the parts add up to it exactly (largest remainder)."""
    total = sum(weights, ZERO)
    if not total:
        return [ZERO for _ in weights]
    exact = [amount * weight / total for weight in weights]
    parts = [share.quantize(CENT, rounding=ROUND_DOWN) for share in exact]
    left = int((amount - sum(parts, ZERO)) / CENT)
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_remainder[: abs(left)]:
        parts[index] += CENT if left > 0 else -CENT
    return parts
