"""`/ws` and `/api/ws`: the frames that dashboards of shops know."""

from typing import Any

from django.db.models import Q

from messaging import topics
from messaging.models import Event
from messaging.streams.socket import Message, Socket, now
from messaging.streams.tail import Entry
from platform_site.common import json
from platform_site.common.errors import BadWord, Invalid

AGENT_EVENTS = ("agent.status_changed", "agent.registered", "agent.deregistered")
PLACED = "order.placed"
LOW = "stock.low"
SHOWN = ["order.*", LOW, *AGENT_EVENTS]
SNAPSHOT_NAMES = ("system:metrics", "metrics_update", "system_update")


class DashboardSocket(Socket):
    """A dashboard: says who it is once, gets everything that it shows."""

    async def on_frame(self, frame: Message) -> None:
        kind = frame.get("type")
        if kind == "ping":
            await self.send(self._frame("pong", {}))
        elif kind == "connection":
            since = frame.get("since") or ""
            if not isinstance(since, str):
                raise Invalid("since is a cursor, which is text.", field="since")
            await self.read_from(since)
            facts = {"client_type": str(frame.get("client_type", ""))[:40]}
            await self.send(self._frame("connection_established", facts))
        else:
            raise BadWord("A frame has the type connection or ping.")

    def _frame(self, kind: str, facts: Message) -> bytes:
        return dashboard_frame(kind, facts, str(self.reader.place), now())

    def where(self) -> Q:
        return topics.of_types(SHOWN) & self.admission.sight.rows()

    def frames_of(self, entry: Entry) -> list[bytes]:
        told = told_of(entry.event)
        if told is None:
            return []
        at = json.instant(entry.event.created_at) or ""
        return [dashboard_frame(told[0], told[1], entry.cursor, at)]

    def frames_of_snapshot(self, figures: Message) -> list[bytes]:
        cursor = str(self.reader.place)
        return [dashboard_frame(kind, figures, cursor, now()) for kind in SNAPSHOT_NAMES]


def told_of(event: Event) -> tuple[str, Message] | None:
    """The kind of frame and its fields for an event, or None where dashboards show nothing."""
    facts: Message = dict(event.data)
    if event.type in AGENT_EVENTS:
        status = facts.get("status") or event.type.partition(".")[2]
        return "agent:status", {**facts, "agent_id": event.entity_id, "status": status}
    if event.type == LOW:
        return "inventory:low", {
            "product_id": facts.get("product_id"),
            "product_name": facts.get("product_name") or facts.get("product"),
            "quantity": facts.get("quantity", facts.get("available")),
            **facts,
        }
    if event.type.startswith("order."):
        kind = "order:created" if event.type == PLACED else "order:updated"
        order = {"order_id": event.entity_id, "event": topics.spoken(event.type)}
        return kind, {"status": facts.get("status"), **facts, **order}
    return None


def dashboard_frame(kind: str, facts: Message, cursor: str, at: str) -> bytes:
    """The fields flat and under `data` and `payload`: dashboards read each of the three."""
    envelope: dict[str, Any] = {"type": kind, "timestamp": at, "cursor": cursor}
    return json.dumps({**facts, **envelope, "data": facts, "payload": facts})
