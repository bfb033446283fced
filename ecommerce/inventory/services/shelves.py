"""What lies on the shelves: received, adjusted, counted, carried elsewhere."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.inventory import events
from ecommerce.inventory.models import MovementKind, StockLevel, StockMovement
from ecommerce.inventory.services.ledger import Change, Short, book, mark_low, out_of_stock
from ecommerce.products.models import Variant
from ecommerce.warehouses.models import Warehouse
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid

EDITABLE = ("reorder_point", "reorder_quantity", "safety_stock", "backorder_limit")


@requires("inventory:edit")
@transaction.atomic
def stock_receive(
    *,
    variant: Variant,
    warehouse: Warehouse,
    quantity: int,
    source_key: str,
    reason: str = "",
    actor: str,
) -> StockLevel:
    """Goods arrived. The same source is received once."""
    if quantity < 1:
        raise Invalid(f"{quantity} units cannot be received; at least 1.", field="quantity")
    level = _held(_level(variant, warehouse))
    if StockMovement.objects.filter(source_key=source_key).exists():
        return level
    change = Change(
        level.pk,
        MovementKind.RECEIVE,
        source=source_key,
        key=source_key,
        on_hand=quantity,
        reason=reason,
    )
    _book([change], actor)
    level.refresh_from_db()
    return level


@requires("inventory:edit")
@transaction.atomic
def stock_receive_many(
    *, warehouse: Warehouse, lines: Sequence[tuple[Variant, int, str]], reason: str, actor: str
) -> int:
    """A delivery of many variants, each with its quantity and source key; how many units came.

    The bulk form of `stock_receive`: each source is received once.
    """
    known = StockMovement.objects.filter(source_key__in=[key for _, _, key in lines])
    done = set(known.values_list("source_key", flat=True))
    new = [line for line in lines if line[2] not in done]
    StockLevel.objects.bulk_create(
        (StockLevel(variant=variant, warehouse=warehouse) for variant, _, _ in new),
        ignore_conflicts=True,
    )
    levels = dict(
        StockLevel.objects.filter(
            warehouse=warehouse, variant__in=[variant.pk for variant, _, _ in new]
        ).values_list("variant_id", "pk")
    )
    received = MovementKind.RECEIVE
    changes = [
        Change(levels[variant.pk], received, source=key, key=key, on_hand=units, reason=reason)
        for variant, units, key in new
    ]
    _book(changes, actor)
    return sum(units for _, units, _ in new)


@requires("inventory:edit")
@transaction.atomic
def stock_adjust(
    *, variant: Variant, warehouse: Warehouse, change: int, reason: str, actor: str
) -> StockMovement:
    """Correct a level by `change` units. Raises OutOfStock below what is promised."""
    if change == 0:
        raise Invalid("An adjustment by 0 units changes nothing.", field="quantity_change")
    level = _level(variant, warehouse)
    key = f"adjust:{uuid4().hex}"
    adjusted = Change(
        level.pk, MovementKind.ADJUST, source=key, key=key, on_hand=change, reason=reason
    )
    return _book([adjusted], actor)[0]


@requires("inventory:edit")
@transaction.atomic
def stock_count(
    *, variant: Variant, warehouse: Warehouse, quantity: int, reason: str = "", actor: str
) -> StockLevel:
    """Somebody counted the shelf: what was counted is what there is.

    Raises OutOfStock if more is promised than was counted.
    """
    level = _held(_level(variant, warehouse))
    if quantity == level.on_hand:
        now = timezone.now()
        StockLevel.objects.filter(pk=level.pk).update(last_count_at=now, updated_at=now)
    else:
        key = f"count:{uuid4().hex}"
        counted = Change(
            level.pk,
            MovementKind.COUNT,
            source=key,
            key=key,
            on_hand=quantity - level.on_hand,
            reason=reason,
        )
        _book([counted], actor)
    level.refresh_from_db()
    return level


@requires("inventory:edit")
@transaction.atomic
def stock_transfer(
    *,
    variant: Variant,
    source: Warehouse,
    target: Warehouse,
    quantity: int,
    reason: str = "",
    actor: str,
) -> list[StockMovement]:
    """Carry units to another warehouse: what leaves here arrives there, in one step.

    Answers both movements, the one that left first. Raises Invalid, OutOfStock.
    """
    if source == target:
        raise Invalid("Goods are transferred between two warehouses.", field="to_warehouse_id")
    if quantity < 1:
        raise Invalid(f"{quantity} units cannot be transferred; at least 1.", field="quantity")
    key = f"transfer:{uuid4().hex}"
    left = Change(
        _level(variant, source).pk,
        MovementKind.TRANSFER_OUT,
        source=key,
        key=f"{key}:out",
        on_hand=-quantity,
        reason=reason,
    )
    arrived = Change(
        _level(variant, target).pk,
        MovementKind.TRANSFER_IN,
        source=key,
        key=f"{key}:in",
        on_hand=quantity,
        reason=reason,
    )
    return sorted(_book([left, arrived], actor), key=lambda movement: movement.quantity)


@requires("inventory:edit")
@transaction.atomic
def level_change(level: StockLevel, *, actor: str, **fields: int) -> StockLevel:
    """Set when to reorder a level, how much, and how many may be promised unseen."""
    level = _held(level)
    new = {name: fields[name] for name in EDITABLE if name in fields}
    old = {name: getattr(level, name) for name in new}
    StockLevel.objects.filter(pk=level.pk).update(
        version=F("version") + 1, updated_at=timezone.now(), **new
    )
    level.refresh_from_db()
    mark_low([level], actor=actor)
    emit(events.STOCK_LEVEL_CHANGED, level, actor=actor, old=old, new=new)
    return level


@transaction.atomic
def opening_stock(product: Any, rows: list[dict[str, Any]], actor: str) -> None:
    """What a new product starts with, as the wizard says: units and threshold per warehouse."""
    variant = product.first_variant
    for row in rows:
        warehouse = Warehouse.objects.filter(pk=row["warehouse_id"]).first()
        if warehouse is None:
            raise Invalid(
                f"There is no warehouse {row['warehouse_id']}.", field="warehouse_inventory"
            )
        level = _level(variant, warehouse)
        if quantity := row.get("quantity"):
            stock_receive(
                variant=variant,
                warehouse=warehouse,
                quantity=quantity,
                source_key=f"opening:{level.pk}",
                reason="opening stock",
                actor=actor,
            )
        if threshold := row.get("low_stock_threshold"):
            level_change(level, reorder_point=threshold, actor=actor)


def _level(variant: Variant, warehouse: Warehouse) -> StockLevel:
    level, _ = StockLevel.objects.get_or_create(variant=variant, warehouse=warehouse)
    return level


def _held(level: StockLevel) -> StockLevel:
    rows = StockLevel.objects.select_for_update(of=("self",)).select_related("variant")
    return rows.get(pk=level.pk)


def _book(changes: Sequence[Change], actor: str) -> list[StockMovement]:
    try:
        return book(changes, actor=actor)
    except Short as short:
        raise out_of_stock(short) from short
