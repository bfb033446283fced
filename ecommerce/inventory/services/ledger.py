"""How the services move stock: one guarded UPDATE per level in id order, one movement for each."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q
from django.utils import timezone

from ecommerce.inventory import events
from ecommerce.inventory.models import MovementKind, StockLevel, StockMovement
from ecommerce.inventory.refusals import OutOfStock
from messaging.events import emit_many

RESTOCKS = (MovementKind.RECEIVE, MovementKind.RETURN, MovementKind.TRANSFER_IN)


@dataclass(frozen=True, slots=True)
class Change:
    """What one level gains or loses. `key` makes it happen once, `source` says what caused it."""

    level_id: int
    kind: str
    source: str
    key: str
    on_hand: int = 0
    reserved: int = 0
    reason: str = ""
    subject: str = ""


class Short(Exception):
    """The guard of a change failed: its level has not enough."""

    def __init__(self, change: Change) -> None:
        super().__init__(f"Level {change.level_id} has not enough to {change.kind}.")
        self.change = change


def book(changes: Iterable[Change], *, actor: str) -> list[StockMovement]:
    """Apply the changes, at most one for each level. Raises Short if the guard of one fails."""
    ordered = sorted(changes, key=lambda change: change.level_id)
    for change in ordered:
        _move(change)
    levels = {
        level.pk: level
        for level in StockLevel.objects.filter(pk__in=[change.level_id for change in ordered])
        .select_related("variant")
        .order_by("pk")
    }
    movements = StockMovement.objects.bulk_create(
        StockMovement(
            level=levels[change.level_id],
            kind=change.kind,
            quantity=change.on_hand,
            reserved_change=change.reserved,
            balance_after=levels[change.level_id].on_hand,
            reserved_after=levels[change.level_id].reserved,
            reason=change.reason[:500],
            subject=change.subject,
            source=change.source,
            source_key=change.key,
            actor=actor,
        )
        for change in ordered
    )
    changed = [(levels[row.level_id], row) for row in movements if row.quantity]
    emit_many(
        events.STOCK_CHANGED,
        [(level, {**_facts(level), "kind": row.kind}) for level, row in changed],
        actor=actor,
    )
    mark_low(levels.values(), actor=actor)
    return movements


def out_of_stock(short: Short) -> OutOfStock:
    """What a person is told when a level has not enough."""
    change = short.change
    level = StockLevel.objects.select_related("variant__product").get(pk=change.level_id)
    return OutOfStock(
        product=level.variant.title,
        sku=level.variant.sku,
        available=level.available,
        requested=max(change.reserved, -change.on_hand),
    )


def _move(change: Change) -> None:
    """The guard stands in the WHERE, so that of two buyers of the last unit one finds no row."""
    on_hand, reserved = F("on_hand") + change.on_hand, F("reserved") + change.reserved
    guard = Q(pk=change.level_id)
    if change.on_hand < 0:
        guard &= Q(on_hand__gte=-change.on_hand)
    if change.reserved < 0:
        guard &= Q(reserved__gte=-change.reserved)
    if change.reserved - change.on_hand > 0:
        needed = change.reserved - change.on_hand
        guard &= Q(reserved__lte=F("on_hand") + F("backorder_limit") - needed)
    now = timezone.now()
    stamps = {"last_restock_at": now} if change.kind in RESTOCKS else {}
    if change.kind == MovementKind.COUNT:
        stamps = {"last_count_at": now}
    rows = StockLevel.objects.filter(guard)
    moved = rows.update(
        on_hand=on_hand, reserved=reserved, version=F("version") + 1, updated_at=now, **stamps
    )
    if not moved:
        raise Short(change)


def mark_low(levels: Iterable[StockLevel], *, actor: str) -> None:
    """Say once that a level fell to its reorder point; the rows are held by our own UPDATE."""
    crossed = [level for level in levels if level.is_below_reorder_point != level.is_low]
    for is_low in (True, False):
        rows = [level for level in crossed if level.is_below_reorder_point is is_low]
        if rows:
            StockLevel.objects.filter(pk__in=[level.pk for level in rows]).update(is_low=is_low)
        if rows and is_low:
            low = [(row, {**_facts(row), "reorder_point": row.reorder_point}) for row in rows]
            emit_many(events.STOCK_LOW, low, actor=actor)


def _facts(level: StockLevel) -> dict[str, object]:
    return {
        "sku": level.variant.sku,
        "product_id": level.variant.product_id,
        "warehouse_id": level.warehouse_id,
        "on_hand": level.on_hand,
        "available": level.available,
    }
