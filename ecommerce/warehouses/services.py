"""Every write on the floor: requests to pick, what was found, what was packed or brought back."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ecommerce.warehouses import events
from ecommerce.warehouses.models import Pack, PickLine, PickRequest, Warehouse
from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid

Status = PickRequest.Status


@requires("warehouses:edit")
@transaction.atomic
def warehouse_create(
    *, code: str, name: str, automation: str = "manual", actor: str, **address: str
) -> Warehouse:
    """A further building."""
    warehouse = Warehouse.objects.create(code=code, name=name, automation=automation, **address)
    emit(events.WAREHOUSE_CHANGED, warehouse, actor=actor, code=code, changes={"code": ["", code]})
    return warehouse


@requires("warehouses:edit")
@transaction.atomic
def pick_request(
    *,
    subject: str,
    order_number: str,
    warehouse: Warehouse,
    lines: Iterable[tuple[str, int]],
    actor: str,
) -> PickRequest:
    """Ask a warehouse to fetch and pack goods for `subject`; asked again, the same request.

    Lines of one SKU are summed.
    """
    units = _summed(lines)
    request, is_new = PickRequest.objects.get_or_create(
        subject=subject, defaults={"order_number": order_number, "warehouse": warehouse}
    )
    if is_new:
        PickLine.objects.bulk_create(
            PickLine(request=request, sku=sku, quantity=quantity)
            for sku, quantity in sorted(units.items())
        )
        emit(
            events.PICK_REQUESTED, request, actor=actor, warehouse=warehouse.code, **_whose(request)
        )
    return request


@requires("warehouses:edit")
@transaction.atomic
def pick_plan(request: PickRequest, *, actor: str) -> PickRequest:
    """Put the request on the floor's list. Raises TransitionNotAllowed, StaleState."""
    request.become(Status.PLANNED)
    automation = request.warehouse.automation
    emit(events.PICK_PLANNED, request, actor=actor, automation=automation, **_whose(request))
    return request


@requires("warehouses:edit")
@transaction.atomic
def pick_complete(request: PickRequest, *, actor: str) -> PickRequest:
    """Everything was found. Raises TransitionNotAllowed, StaleState."""
    request.become(Status.PICKED, picked_at=timezone.now())
    request.lines.update(picked=F("quantity"), updated_at=timezone.now())
    emit(events.PICK_COMPLETED, request, actor=actor, **_whose(request))
    return request


@requires("warehouses:edit")
@transaction.atomic
def pick_short(request: PickRequest, *, picked: dict[str, int], actor: str) -> PickRequest:
    """Only `picked` units of a SKU were found. Raises Invalid, TransitionNotAllowed, StaleState."""
    wanted = {line.sku: line.quantity for line in request.lines.all()}
    wrong = sorted(sku for sku, units in picked.items() if not 0 <= units <= wanted.get(sku, -1))
    if wrong:
        raise Invalid(f"{wrong[0]} was not asked for in this quantity.", field="picked")
    missing = {sku: units - picked.get(sku, 0) for sku, units in wanted.items()}
    missing = {sku: units for sku, units in missing.items() if units}
    if not missing:
        raise Invalid("Nothing is missing; complete the pick instead.", field="picked")
    request.become(Status.SHORT, picked_at=timezone.now())
    for sku, units in picked.items():
        request.lines.filter(sku=sku).update(picked=units, updated_at=timezone.now())
    emit(events.PICK_SHORT, request, actor=actor, missing=missing, **_whose(request))
    return request


@requires("warehouses:edit")
@transaction.atomic
def pack_complete(request: PickRequest, *, weight_g: int | None = None, actor: str) -> PickRequest:
    """What was picked is in a parcel. Raises TransitionNotAllowed, StaleState."""
    request.become(Status.PACKED, packed_at=timezone.now())
    Pack.objects.create(request=request, weight_g=weight_g)
    emit(events.PACK_COMPLETED, request, actor=actor, weight_g=weight_g, **_whose(request))
    return request


@requires("warehouses:edit")
@transaction.atomic
def pick_cancel(*, subject: str, actor: str) -> PickRequest | None:
    """Stop fetching for `subject`; what was picked has to be put back, as the event says.

    A packed request stays packed, and its parcel is to be unpacked. Nothing to do, and None,
    without a request or for one that was cancelled before.
    """
    now = timezone.now()
    waiting = PickRequest.objects.filter(subject=subject, cancelled_at=None)
    if not waiting.update(cancelled_at=now, updated_at=now, version=F("version") + 1):
        return None
    request = PickRequest.objects.get(subject=subject)
    if request.status != Status.PACKED:
        request.become(Status.CANCELLED)
    put_back = {line.sku: line.picked for line in request.lines.filter(picked__gt=0)}
    emit(events.PICK_CANCELLED, request, actor=actor, put_back=put_back, **_whose(request))
    return request


@requires("warehouses:edit")
@transaction.atomic
def pick_put_back(request: PickRequest, *, actor: str) -> PickRequest:
    """What was picked for a cancelled request is on its shelf again; twice is no error."""
    now = timezone.now()
    picked = PickRequest.objects.filter(picked_at__isnull=False, cancelled_at__isnull=False)
    waiting = picked.filter(pk=request.pk, put_back_at=None)
    if waiting.update(put_back_at=now, updated_at=now, version=F("version") + 1):
        emit(events.PICK_PUT_BACK, request, actor=actor, **_whose(request))
    request.refresh_from_db()
    return request


def _summed(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    units: dict[str, int] = {}
    for sku, quantity in lines:
        if quantity < 1:
            raise Invalid(f"{sku}: at least one unit has to be picked.", field="lines")
        units[sku] = units.get(sku, 0) + quantity
    if not units:
        raise Invalid("There is nothing to pick.", field="lines")
    return units


def _whose(request: PickRequest) -> dict[str, str]:
    return {"subject": request.subject, "order_number": request.order_number}
