"""The floor: plans every pick, and in an `auto` warehouse does the walking and packing too."""

from typing import Any

from ecommerce.warehouses import events, services
from ecommerce.warehouses.models import PickRequest, Warehouse
from tasks.handlers import handles

Status = PickRequest.Status


@handles(on=events.PICK_REQUESTED)
def plan(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """Put a request on the list of its floor."""
    request = _request(event)
    if request.status != Status.OPEN:
        return _skipped(request)
    services.pick_plan(request, actor=actor)
    return {"pick": request.pk, "status": request.status}


@handles(on=events.PICK_PLANNED)
def pick(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """On an automatic floor, fetch everything; elsewhere people do."""
    request = _request(event)
    if request.status != Status.PLANNED or not _is_auto(request):
        return _skipped(request)
    services.pick_complete(request, actor=actor)
    return {"pick": request.pk, "status": request.status}


@handles(on=events.PICK_COMPLETED)
def pack(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """On an automatic floor, pack what was fetched; elsewhere people do."""
    request = _request(event)
    if request.status != Status.PICKED or not _is_auto(request):
        return _skipped(request)
    services.pack_complete(request, actor=actor)
    return {"pick": request.pk, "status": request.status}


@handles(on=events.PICK_CANCELLED)
def put_back(event: dict[str, Any], *, actor: str) -> dict[str, Any]:
    """On an automatic floor, bring the fetched units of a cancelled request back to their shelf."""
    request = _request(event)
    if not event["data"]["put_back"]:
        return {"pick": request.pk, "skipped": "nothing was picked"}
    if not _is_auto(request):
        return _skipped(request)
    services.pick_put_back(request, actor=actor)
    return {"pick": request.pk, "units": event["data"]["put_back"]}


def _request(event: dict[str, Any]) -> PickRequest:
    return PickRequest.objects.select_related("warehouse").get(pk=event["entity_id"])


def _is_auto(request: PickRequest) -> bool:
    return request.warehouse.automation == Warehouse.Automation.AUTO


def _skipped(request: PickRequest) -> dict[str, Any]:
    if not _is_auto(request):
        return {"pick": request.pk, "skipped": f"{request.warehouse} is worked by people"}
    return {"pick": request.pk, "skipped": f"already {request.status}"}
