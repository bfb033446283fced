"""Imported files and what of them did not become an order."""

from django.contrib import admin

from ecommerce.orders import services
from ecommerce.orders.admin.dialogs import CodeDialog
from ecommerce.orders.models import (
    ImportedDocument,
    ImportRun,
    ServiceCode,
)
from platform_site.common.admin import (
    ReadOnlyAdmin,
    ago,
    chip,
    link_to,
    mono,
    pretty_json,
    service_action,
)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """Sales files that were read, and what became of their lines."""

    view_permission = "orders:view"
    icon, rank = "upload_file", 80
    list_display = (
        "file_name",
        chip("status"),
        link_to("channel"),
        "actor",
        ago("created_at", "when"),
    )
    list_select_related = ("channel",)
    fields = (
        ("file_name", chip("status"), "channel"),
        ("actor", "created_at", "finished_at"),
        mono("sha256", "SHA-256", order=None),
        pretty_json("dialect", "how it was read"),
        pretty_json("report"),
    )


@admin.register(ImportedDocument)
class ImportedDocumentAdmin(ReadOnlyAdmin):
    """Credit notes and odd lines of imported files; they change nothing here."""

    view_permission = "orders:view"
    icon, rank = "request_quote", 81
    list_display = (mono("external_ref", "number"), "kind", "amount", link_to("order"), "dated_at")
    list_filter = ("kind", "channel")
    list_select_related = ("order",)
    search_fields = ("=external_ref", "=customer_ref")
    fields = (
        ("external_ref", "kind", "channel"),
        ("dated_at", "customer_ref", "amount"),
        link_to("order"),
        pretty_json("lines"),
    )


@admin.register(ServiceCode)
class ServiceCodeAdmin(ReadOnlyAdmin):
    """Stock codes in sales files that stand for no goods."""

    view_permission = "orders:view"
    icon, rank = "tag", 85
    list_display = (mono("code"), "name", "active")
    actions = [
        service_action(
            services.service_code_set,
            "Set a code",
            form=CodeDialog,
            icon="add",
            creates=True,
            effect="Lines with this code are taken as a service by the next import.",
        ),
    ]
