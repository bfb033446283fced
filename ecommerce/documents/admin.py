"""Invoices and credit notes in the console."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ecommerce.documents.models import Document, NumberSeries
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ago,
    chip,
    mono,
    pretty_json,
    quantity,
    search_link,
    timeline,
)
from platform_site.common.admin.columns import EMPTY, anchor


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Issued papers; the file is made from the snapshot, the same bytes every time."""

    view_permission = "documents:view"
    icon, rank = "description", 40
    personal = (snapshot := pretty_json("snapshot", "what it says"),)
    list_display = (
        mono("number"),
        "kind",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        ago("issued_at", "issued"),
        "file",
    )
    list_filter = ("kind", "status")
    search_fields = ("=number", "=order_number", "=subject")
    fields = (
        ("number", "kind", chip("status")),
        (search_link("order_number", "orders_order", "order"), "issued_at"),
        ("file", "refers"),
        mono("sha256", "SHA-256 of the file", order=None),
        snapshot,
    )

    @admin.display(description="file")
    def file(self, document: Document) -> SafeString | str:
        return anchor(f"/api/documents/{document.pk}/pdf", "PDF") if document.path else EMPTY

    def panels(self, request: HttpRequest, row: Document) -> list[Panel]:
        return [timeline(history(row))]


@admin.register(NumberSeries)
class NumberSeriesAdmin(ReadOnlyAdmin):
    """Where the next number comes from."""

    view_permission = "documents:view"
    icon, rank = "pin", 90
    list_display = (mono("key"), mono("format"), "year", quantity("next_number", "next"))
