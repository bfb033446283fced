"""Whether the stock adds up: every level against its reservations and its movements."""

from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.expressions import Combinable

from ecommerce.inventory.models import Reservation, StockLevel, StockMovement


def differences() -> list[str]:
    """One sentence for each level whose figures are not what its ledger says, to the unit."""
    active = Reservation.objects.filter(status=Reservation.Status.ACTIVE)
    promised = _sums(active, F("quantity") - F("shipped"))
    moved = _sums(StockMovement.objects.all(), F("quantity"))
    promised_by_ledger = _sums(StockMovement.objects.all(), F("reserved_change"))
    found = []
    for level in StockLevel.objects.select_related("variant", "warehouse").order_by("pk"):
        if level.on_hand != moved.get(level.pk, 0):
            found.append(
                f"{level}: {level.on_hand} on hand, its movements say {moved.get(level.pk, 0)}."
            )
        for sums, words in ((promised, "reservations"), (promised_by_ledger, "movements")):
            if level.reserved != sums.get(level.pk, 0):
                found.append(
                    f"{level}: {level.reserved} reserved, its {words} say {sums.get(level.pk, 0)}."
                )
    return found


def _sums(rows: QuerySet[Any], amount: Combinable) -> dict[int, int]:
    return dict(rows.order_by().values_list("level").annotate(units=Sum(amount)))
