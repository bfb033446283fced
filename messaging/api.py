"""`GET /api/v1/events`, one page or a long poll, and `/events/stream`."""

from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from messaging import bell, log, topics
from messaging.cursor import resume
from messaging.longpoll import poll_again
from messaging.models import Event
from messaging.streams.sse import event_lines
from platform_site.common.api import ApiView, Input, platform
from platform_site.common.gate import CredentialAuthentication

MAX_WAIT_S = 60
DEFAULT_WAIT_S = 30
MAX_LIMIT = 1000


class EventsQuery(Input):
    since = serializers.CharField(max_length=40, default="", allow_blank=True)
    wait = serializers.IntegerField(min_value=0, max_value=10**6, default=None)
    types = serializers.CharField(max_length=4000, default="", allow_blank=True)
    entity = serializers.CharField(max_length=250, default="", allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=10**9, default=100)


class _Wanted:
    """Which events a request asks for and may see."""

    def __init__(self, view: ApiView) -> None:
        asked = view.query(EventsQuery)
        self.since: str = asked["since"]
        self.wait_s = min(_or_default(asked["wait"], self.since), MAX_WAIT_S)
        self.limit = min(asked["limit"], MAX_LIMIT)
        self.names = [name.strip() for name in asked["types"].split(",") if name.strip()]
        self.entity: str = asked["entity"]
        self.sight = topics.Sight(view.principal)
        self.snapshot_url = topics.snapshot_url(self.names)

    def where(self) -> Q:
        where = self.sight.rows()
        if self.names:
            where &= topics.of_types(self.names)
        return where & log.of_entity(self.entity) if self.entity else where

    def takes(self, event: Event) -> bool:
        """The same for an event at hand."""
        kind, _, entity_id = self.entity.partition(":")
        return (
            self.sight.sees(event.type, event.entity_type)
            and (not self.names or topics.best_name(self.names, event.type) is not None)
            and kind in ("", event.entity_type)
            and entity_id in ("", event.entity_id)
        )


class EventsView(ApiView):
    """The events after a cursor, or the wait for the next.

    Without a cursor a reader begins at the head: told at once, or with the next event if it says
    how long to `wait` for it.
    """

    access = {"get": "event:view"}

    def get(self, request: Request) -> Any:
        wanted = _Wanted(self)
        start = resume(wanted.since, snapshot_url=wanted.snapshot_url)
        page = log.page(start, wanted.where(), limit=wanted.limit, snapshot_url=wanted.snapshot_url)
        events = [log.event_dict(event) for event in page.events]
        response = Response({"events": events, "cursor": str(page.cursor)})
        if events or not wanted.wait_s:
            return response
        # Without the place a reader at the head would begin anew at each look and miss what rang.
        return poll_again(response, bell.EVENTS, wanted.wait_s, since=str(page.cursor))


class AnyAccept(BaseContentNegotiation):
    """The stream has one form, and its refusals are JSON, whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class EventStreamView(ApiView):
    """The events after a cursor and all to come, as Server-Sent Events. Served by ASGI only."""

    access = {"get": "event:view"}
    content_negotiation_class = AnyAccept

    def get(self, request: Request) -> StreamingHttpResponse:
        wanted = _Wanted(self)
        since = request.headers.get("Last-Event-ID") or wanted.since
        start = resume(since, snapshot_url=wanted.snapshot_url)
        lines = event_lines(
            start,
            wanted.where(),
            takes=wanted.takes,
            is_admitted=lambda: _is_admitted(request),
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(lines, content_type="text/event-stream", headers=headers)


def _or_default(wait_s: int | None, since: str) -> int:
    if wait_s is not None:
        return wait_s
    return DEFAULT_WAIT_S if since else 0


def _is_admitted(request: Request) -> bool:
    try:
        return CredentialAuthentication().authenticate(request) is not None
    except AuthenticationFailed:
        return False
    except DatabaseError:
        return True  # nothing can be read either until it is back


platform.view("events/stream", EventStreamView.as_view())
platform.view("events", EventsView.as_view())
