"""Promise stock to a subject, keep the promise or take it back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ecommerce.inventory import events
from ecommerce.inventory.allocation import Shelf, Shortage, allocate
from ecommerce.inventory.models import MovementKind, Reservation, StockLevel, StockMovement
from ecommerce.inventory.refusals import NotReserved, OutOfStock
from ecommerce.inventory.services.ledger import Change, Short, book, out_of_stock
from ecommerce.products.models import Variant
from ecommerce.warehouses.models import Warehouse
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, StaleState

Lines = Iterable[tuple[Variant, int]]
Status = Reservation.Status
TRIES = 5  # how often an allocation is made anew when somebody else was faster


@requires("inventory:edit")
@transaction.atomic
def stock_reserve(
    *, subject: str, lines: Lines, expires_at: datetime | None, actor: str
) -> list[Reservation]:
    """Promise all lines to the subject, or nothing; lines of one variant are summed.

    Asked again it answers what is reserved already. Raises OutOfStock.
    """
    held = list(_active(subject))
    if held:
        return held
    made = _promise(subject, _summed(lines), expires_at, actor)
    _say(events.STOCK_RESERVED, made, actor)
    return made


@requires("inventory:edit")
@transaction.atomic
def stock_firm(*, subject: str, lines: Lines, actor: str) -> list[Reservation]:
    """Take the expiry off the subject's reservations and reserve anew what has expired.

    Raises OutOfStock; then everything stays as it was.
    """
    held = list(_active(subject))
    wanted = _summed(lines)
    for row in held:
        wanted[row.level.variant_id] = wanted.get(row.level.variant_id, 0) - row.held
    missing = {variant_id: units for variant_id, units in wanted.items() if units > 0}
    short_lived = [row for row in held if row.expires_at is not None]
    if not missing and not short_lived:
        return held
    Reservation.objects.filter(pk__in=[row.pk for row in short_lived]).update(
        expires_at=None, version=F("version") + 1, updated_at=timezone.now()
    )
    if missing:
        _promise(subject, missing, None, actor)
    firm = list(_active(subject))
    _say(events.STOCK_RESERVED, firm, actor)
    return firm


@requires("inventory:edit")
@transaction.atomic
def stock_release(*, subject: str, actor: str) -> int:
    """Give back whatever is still reserved for the subject; how many units that were."""
    return _end(_active(subject), Status.RELEASED, events.STOCK_RELEASED, actor)


@transaction.atomic
def reservation_expire(*, subject: str, actor: str) -> int:
    """End the subject's reservations whose time is over; how many units that were."""
    over = _active(subject).filter(expires_at__lte=timezone.now())
    return _end(over, Status.EXPIRED, events.RESERVATION_EXPIRED, actor)


def subjects_overdue(limit: int = 500) -> list[str]:
    """Subjects with reservations whose time is over."""
    due = Reservation.objects.filter(status=Status.ACTIVE, expires_at__lte=timezone.now())
    return list(due.order_by("subject").values_list("subject", flat=True).distinct()[:limit])


@requires("inventory:edit")
@transaction.atomic
def stock_ship(
    *,
    subject: str,
    lines: Lines,
    source_key: str,
    warehouse: Warehouse | None = None,
    actor: str,
) -> int:
    """Take reserved units off the shelf for good; how many. The same source ships once.

    `warehouse` says where the parcel was packed. Raises NotReserved, OutOfStock.
    """
    held = list(_active(subject))
    if StockMovement.objects.filter(source=source_key, kind=MovementKind.SHIP).exists():
        return 0
    if warehouse is not None:
        held = [row for row in held if row.level.warehouse_id == warehouse.pk]
    shipped = _consume(subject, _summed(lines), held)
    changes = [
        Change(
            level_id=row.level_id,
            kind=MovementKind.SHIP,
            source=source_key,
            key=f"ship:{source_key}:{row.level_id}",
            on_hand=-units,
            reserved=-units,
            subject=subject,
        )
        for row, units in shipped
    ]
    try:
        book(changes, actor=actor)
    except Short as short:
        raise out_of_stock(short) from short
    units = sum(units for _, units in shipped)
    first = shipped[0][0]
    emit(events.STOCK_SHIPPED, first, actor=actor, subject=subject, units=units, source=source_key)
    return units


def _active(subject: str) -> QuerySet[Reservation]:
    """The subject's active reservations; reading them holds them until the transaction ends."""
    rows = Reservation.objects.filter(subject=subject, status=Status.ACTIVE)
    return rows.select_related("level").select_for_update(of=("self",)).order_by("pk")


def _end(rows: QuerySet[Reservation], status: str, event: str, actor: str) -> int:
    ended = [row.become(status) for row in rows]
    if not ended:
        return 0
    book(
        [
            Change(
                level_id=row.level_id,
                kind=MovementKind.RELEASE,
                source=row.subject,
                key=f"release:{row.pk}",
                reserved=-row.held,
                reason=status,
                subject=row.subject,
            )
            for row in ended
        ],
        actor=actor,
    )
    return _say(event, ended, actor)


def _say(event: str, rows: list[Reservation], actor: str) -> int:
    units = sum(row.held for row in rows)
    emit(event, rows[0], actor=actor, subject=rows[0].subject, units=units)
    return units


def _summed(lines: Lines) -> dict[int, int]:
    """Units of each variant over all lines. Raises Invalid for less than one."""
    wanted: dict[int, int] = defaultdict(int)
    for variant, quantity in lines:
        if quantity < 1:
            raise Invalid(f"{quantity} of {variant} cannot be moved; at least 1.", field="quantity")
        wanted[variant.pk] += quantity
    return dict(wanted)


def _promise(
    subject: str, wanted: Mapping[int, int], expires_at: datetime | None, actor: str
) -> list[Reservation]:
    for _ in range(TRIES):
        taken = _allocate(wanted)
        try:
            with transaction.atomic():
                return _reserve(subject, taken, expires_at, actor)
        except Short:
            continue  # somebody bought in between: look again
    raise StaleState("The stock changes too fast at the moment; try again.")


def _allocate(wanted: Mapping[int, int]) -> Mapping[int, int]:
    free = F("on_hand") + F("backorder_limit") - F("reserved")
    rows = (
        StockLevel.objects.filter(variant__in=wanted, warehouse__is_active=True)
        .annotate(free=free)
        .order_by()
        .values_list("pk", "variant_id", "warehouse_id", "free")
    )
    taken = allocate(wanted, [Shelf(*row) for row in rows])
    if isinstance(taken, Shortage):
        variant = Variant.objects.select_related("product").get(pk=taken.variant_id)
        raise OutOfStock(
            product=variant.title,
            sku=variant.sku,
            available=taken.available,
            requested=taken.requested,
        )
    return taken


def _reserve(
    subject: str, taken: Mapping[int, int], expires_at: datetime | None, actor: str
) -> list[Reservation]:
    rows = {row.level_id: row for row in _active(subject).filter(level__in=taken)}
    for row in rows.values():
        row.quantity += taken[row.level_id]
        row.save(update_fields=["quantity", "updated_at"])
    made = Reservation.objects.bulk_create(
        Reservation(subject=subject, level_id=level_id, quantity=units, expires_at=expires_at)
        for level_id, units in sorted(taken.items())
        if level_id not in rows
    )
    rows |= {row.level_id: row for row in made}
    changes = [
        Change(
            level_id=level_id,
            kind=MovementKind.RESERVE,
            source=subject,
            key=f"reserve:{rows[level_id].pk}:{rows[level_id].quantity}",
            reserved=units,
            subject=subject,
        )
        for level_id, units in taken.items()
    ]
    book(changes, actor=actor)
    return list(rows.values())


def _consume(
    subject: str, wanted: dict[int, int], held: list[Reservation]
) -> list[tuple[Reservation, int]]:
    shipped = []
    for row in held:
        units = min(row.held, wanted.get(row.level.variant_id, 0))
        if not units:
            continue
        wanted[row.level.variant_id] -= units
        if units == row.held:
            row.become(Status.CONSUMED, shipped=row.quantity)
        else:
            Reservation.objects.filter(pk=row.pk).update(
                shipped=F("shipped") + units, version=F("version") + 1, updated_at=timezone.now()
            )
        shipped.append((row, units))
    if missing := sum(wanted.values()):
        raise NotReserved(f"{missing} units that shall be shipped are not reserved for {subject}.")
    return shipped
