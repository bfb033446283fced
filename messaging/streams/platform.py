"""`/api/v1/ws/{client_id}`: subscriptions to topics, events and prefixes."""

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from messaging import log, topics
from messaging.streams.socket import Message, Socket, now
from messaging.streams.tail import Entry
from platform_site.common import json
from platform_site.common.api import Input
from platform_site.common.errors import BadWord, Forbidden, Invalid

MAX_SUBSCRIPTIONS = 100


class _Filter(Input):
    entity = serializers.CharField(max_length=250, default="", allow_blank=True)


class _Frame(Input):
    subscriptions = serializers.ListField(
        child=serializers.CharField(max_length=80), default=list, max_length=MAX_SUBSCRIPTIONS
    )
    since = serializers.CharField(max_length=40, default="", allow_blank=True)
    filter = _Filter(required=False)


class PlatformSocket(Socket):
    """A client of the Platform API. The `client_id` in its address is a label, not an identity."""

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        # Until its first `subscribe` a client gets what the servers before us sent to everybody.
        self._entities: dict[str, str] = dict.fromkeys(topics.BROADCAST, "")
        self._has_subscribed = False

    async def on_frame(self, frame: Message) -> None:
        kind = frame.get("type")
        if kind == "ping":
            await self.send(self._frame("pong", {"head": str(self.reader.tail.head or "")}))
        elif kind == "subscribe":
            await self._subscribe(_fields(frame))
        elif kind == "unsubscribe":
            await self._unsubscribe(_fields(frame))
        else:
            raise BadWord("A frame has the type subscribe, unsubscribe or ping.")

    async def _subscribe(self, fields: Message) -> None:
        names: list[str] = fields["subscriptions"]
        for name in names:
            if name.startswith(topics.SECURITY) and not self.admission.sight.sees_security:
                raise Forbidden(
                    f"{name} needs the permission security:audit.", required="security:audit"
                )
        wanted = {} if not self._has_subscribed else dict(self._entities)
        entity = (fields.get("filter") or {}).get("entity", "")
        wanted.update(dict.fromkeys(names, entity))
        if len(wanted) > MAX_SUBSCRIPTIONS:
            raise Invalid(f"A socket has at most {MAX_SUBSCRIPTIONS} subscriptions.")
        await self.read_from(fields["since"])
        self._entities, self._has_subscribed = wanted, True
        await self._confirm("subscription_confirmed", names)

    async def _unsubscribe(self, fields: Message) -> None:
        names: list[str] = fields["subscriptions"] or list(self._entities)
        self._has_subscribed = True
        self._entities = {name: of for name, of in self._entities.items() if name not in names}
        await self.read_from("")
        await self._confirm("unsubscription_confirmed", names)

    async def _confirm(self, kind: str, names: list[str]) -> None:
        data = {"subscriptions": names, "active": sorted(self._entities)}
        await self.send(self._frame(kind, data, subscriptions=names))

    def _frame(self, kind: str, data: Message, **more: Any) -> bytes:
        cursor = str(self.reader.place)
        return json.dumps(
            {"type": kind, **more, "data": data, "timestamp": now(), "cursor": cursor}
        )

    def where(self) -> Q:
        wanted = Q(pk__in=[])
        for name, entity in self._entities.items():
            named = topics.of_types([name])
            wanted |= named & log.of_entity(entity) if entity else named
        return wanted & self.admission.sight.rows()

    def frames_of(self, entry: Entry) -> list[bytes]:
        event = entry.event
        address = f"{event.entity_type}:{event.entity_id}"
        names = [
            name for name, of in self._entities.items() if of in ("", address, event.entity_type)
        ]
        name = topics.best_name(names, event.type)
        return [entry.frame(name)] if name else []

    def frames_of_snapshot(self, figures: Message) -> list[bytes]:
        if topics.SYSTEM_METRICS not in self._entities:
            return []
        data = {"event": topics.SYSTEM_METRICS, **figures}
        return [json.dumps({"type": topics.SYSTEM_METRICS, "data": data, "timestamp": now()})]


def _fields(frame: Message) -> Message:
    form = _Frame(data=frame)
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise Invalid(f"{field}: {_first(errors)}", field=field)
    fields: Message = form.validated_data
    return fields


def _first(errors: Any) -> str:
    while isinstance(errors, (dict, list)):
        errors = next(iter(errors.values() if isinstance(errors, dict) else errors))
    return str(errors)
