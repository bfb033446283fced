"""The event log in the console: read-only, security events for auditors."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from messaging.history import entity_url, entries, facts_line
from messaging.models import Event
from messaging.topics import Sight
from platform_site.common.admin import Panel, ReadOnlyAdmin, ago, mono, pretty_json, timeline
from platform_site.common.admin.callers import caller_of
from platform_site.common.admin.columns import EMPTY, anchor, short_id


class KindFilter(admin.SimpleListFilter):
    """The first word of an event's name; fixed words, for a DISTINCT would read the whole log."""

    title = "kind"
    parameter_name = "kind"
    KINDS = (
        *("agent", "task", "order", "payment", "stock", "reservation", "assessment", "fraud_case"),
        *("pick", "pack", "shipment", "document", "message", "product", "customer", "security"),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind.replace("_", " ")) for kind in self.KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(type__startswith=f"{self.value()}.") if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened, newest first; nobody changes the past."""

    view_permission = "event:view"
    icon, rank = "list_alt", 30
    paginator = InfinitePaginator
    list_display = (
        mono("type"),
        "about",
        "facts",
        "actor",
        ago("created_at", "when"),
        mono("seq"),
    )
    list_filter = (KindFilter,)
    search_fields = ("^type", "=entity_id", "=trace_id", "=actor")
    search_help_text = "The start of a name, or a whole record id, trace or actor."
    sortable_by = ()
    fields = (
        "type",
        "about",
        "actor",
        "created_at",
        "seq",
        "epoch",
        "entity_version",
        "trace_id",
        "causation_id",
        pretty_json("data", "facts"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.filter(Sight(caller_of(request)).rows())

    @admin.display(description="about")
    def about(self, event: Event) -> SafeString | str:
        words = f"{event.entity_type} {short_id(event.entity_id)}"
        address = entity_url(event.entity_type, event.entity_id)
        return anchor(address, words) if address else words

    @admin.display(description="facts")
    def facts(self, event: Event) -> SafeString | str:
        line = facts_line(event.data, about=event.entity_id)
        return format_html('<span class="fd-note fd-line">{}</span>', line) if line else EMPTY

    def panels(self, request: HttpRequest, row: Event) -> list[Panel]:
        if not row.trace_id:
            return []
        events = self.get_queryset(request).filter(trace_id=row.trace_id).exclude(pk=row.pk)
        note = "What else happened under the same trace."
        return [timeline(entries(events[:50]), title="Same trace", note=note)]
