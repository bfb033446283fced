"""The control room: the fleet, the queue and today's business on one page."""

from itertools import groupby
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from messaging.history import entity_url, facts_line
from messaging.log import head
from messaging.models import Event
from messaging.topics import Sight
from platform_site.common import json
from platform_site.common.admin.callers import caller_of, may
from platform_site.common.admin.columns import short_id
from platform_site.common.admin.looks import ICONS
from platform_site.console import figures

FEED_LENGTH = 40
SOCKET = "/api/v1/ws/console"


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the console's first page: what the script then keeps up to date."""
    cells = [{**cell, "icon": ICONS[cell["look"]]} for cell in figures.agents()]
    by_category = groupby(sorted(cells, key=lambda cell: cell["category"]), _category)
    return {
        **context,
        "title": "Control room",
        "as_of": timezone.now(),
        "tiles": figures.tiles(request),
        "agent_groups": [(name, list(group)) for name, group in by_category],
        "feed": [_line(event) for event in _latest(request)],
        "live": {
            "figures": reverse("control-room-figures"),
            "socket": SOCKET,
            "cursor": str(head()),
            "icons": ICONS,
            "length": FEED_LENGTH,
            "pages": _pages(request),
        },
    }


@require_GET
def live_figures(request: HttpRequest) -> JsonResponse:
    """The figures as of now, for the script of the control room."""
    return JsonResponse(
        {
            "as_of": json.instant(timezone.now()),
            "tiles": {tile.key: tile.as_json() for tile in figures.tiles(request)},
            "agents": {cell["id"]: cell for cell in figures.agents()},
        }
    )


urlpatterns = [
    path(
        "admin/control-room.json",
        admin.site.admin_view(live_figures),
        name="control-room-figures",
    )
]


def _category(cell: dict[str, Any]) -> str:
    return str(cell["category"])


def _latest(request: HttpRequest) -> list[Event]:
    if not may(request, "event:view"):
        return []
    seen = Sight(caller_of(request)).rows()
    return list(Event.objects.filter(seen).order_by("-pk")[:FEED_LENGTH])


def _line(event: Event) -> dict[str, Any]:
    return {
        "event": event.type.replace(".", " ").replace("_", " "),
        "about": f"{event.entity_type} {short_id(event.entity_id)}",
        "url": entity_url(event.entity_type, event.entity_id),
        "facts": facts_line(event.data, about=event.entity_id),
        "actor": event.actor,
        "at": event.created_at,
    }


def _pages(request: HttpRequest) -> dict[str, str]:
    """Where the rows of events are shown, by the kind of entity, with `{id}` to fill in."""
    pages = admin.site._registry.items()
    kinds = {
        str(model._meta.model_name) for model, page in pages if page.has_view_permission(request)
    }
    return {kind: entity_url(kind, "{id}").replace("%7Bid%7D", "{id}") for kind in sorted(kinds)}
