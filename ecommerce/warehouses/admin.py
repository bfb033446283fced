"""Warehouses and the work of picking in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.warehouses import services
from ecommerce.warehouses.models import PickLine, PickRequest, Warehouse
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ago,
    chip,
    link_to,
    mono,
    search_link,
    service_action,
    timeline,
)


class PickLineInline(ReadOnlyInline):
    model = PickLine
    fields = ("sku", "quantity", "picked")
    readonly_fields = fields


@admin.register(PickRequest)
class PickRequestAdmin(ReadOnlyAdmin):
    """What has to be fetched and packed."""

    view_permission = "warehouses:view"
    icon, rank = "shopping_basket", 30
    list_display = (
        "__str__",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        link_to("warehouse"),
        ago("created_at", "asked"),
        ago("packed_at", "packed"),
    )
    list_filter = ("status", "warehouse")
    list_select_related = ("warehouse",)
    search_fields = ("=order_number", "=subject")
    inlines = [PickLineInline]
    fields = (
        ("order_number", chip("status"), "warehouse"),
        ("subject", "created_at"),
        ("picked_at", "packed_at", "cancelled_at", "put_back_at"),
    )
    actions = [
        service_action(
            services.pick_plan,
            "Start picking",
            to=PickRequest.Status.PLANNED,
            icon="play_arrow",
            effect="It goes on somebody's list.",
        ),
        service_action(
            services.pick_complete,
            "All found",
            to=PickRequest.Status.PICKED,
            icon="done_all",
            effect="Every line was found in full.",
        ),
        service_action(
            services.pack_complete,
            "Packed",
            to=PickRequest.Status.PACKED,
            icon="package_2",
            effect="The parcel is made; the order goes on to the carrier.",
        ),
    ]

    def panels(self, request: HttpRequest, row: PickRequest) -> list[Panel]:
        return [timeline(history(row))]


@admin.register(Warehouse)
class WarehouseAdmin(ReadOnlyAdmin):
    """Buildings with stock in them."""

    view_permission = "warehouses:view"
    icon, rank = "warehouse", 40
    list_display = ("name", mono("code"), "city", "country", "automation", "is_active")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = {"id", "version", "metadata"}
        return [name for name in super().get_fields(request, obj) if name not in hidden]
