"""Parcels, carriers and their prices in the console."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ecommerce.carriers import services
from ecommerce.carriers.models import Carrier, CarrierService, RateRule, Shipment, Zone, ZoneRule
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ago,
    amount,
    chip,
    link_to,
    mono,
    postal,
    pretty_json,
    quantity,
    search_link,
    service_action,
    status_chip,
    table,
    timeline,
)
from platform_site.common.admin.columns import moment


@admin.register(Shipment)
class ShipmentAdmin(ReadOnlyAdmin):
    """Parcels on their way."""

    view_permission = "carriers:view"
    icon, rank = "local_shipping", 20
    personal = (to_address := postal("to_address", "to"),)
    list_display = (
        "__str__",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        link_to("service"),
        mono("tracking_number", "tracking"),
        amount("cost"),
        ago("created_at", "asked"),
        ago("delivered_at", "delivered"),
    )
    list_filter = ("status", "service__carrier")
    list_select_related = ("service__carrier",)
    search_fields = ("=order_number", "=tracking_number", "=subject")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    (chip("status"), search_link("order_number", "orders_order", "order")),
                    ("service", mono("tracking_number", "tracking")),
                    (amount("cost"), amount("value", "value of the goods"), "weight_g"),
                    "failure",
                )
            },
        ),
        ("Way", {"fields": (to_address, ("released_at", "scanned_at"), "delivered_at")}),
        ("Why this service", {"fields": (pretty_json("decision"),)}),
    )
    actions = [
        service_action(
            services.shipment_retry,
            "Try the label again",
            when=lambda shipment: bool(shipment.failure),
            icon="refresh",
            effect="The carrier agent rates the services and buys a label anew.",
        ),
    ]

    def panels(self, request: HttpRequest, row: Shipment) -> list[Panel]:
        scans = [
            (scan.code, scan.location, scan.description, moment(scan.at))
            for scan in row.events.all()
        ]
        attempts = [
            (
                str(attempt.service),
                status_chip(attempt.phase),
                attempt.error,
                moment(attempt.created_at),
            )
            for attempt in row.attempts.select_related("service__carrier")
        ]
        return [
            table("Scans", ("code", "where", "what", "when"), scans, empty="Not scanned yet."),
            table(
                "Labels", ("service", "state", "error", "when"), attempts, empty="None bought yet."
            ),
            timeline(history(row)),
        ]


class ServiceInline(ReadOnlyInline):
    model = CarrierService
    fields = ("code", "name", "kind", "transit_days", "max_weight_g", "is_active")
    readonly_fields = fields


@admin.register(Carrier)
class CarrierAdmin(ReadOnlyAdmin):
    """Companies that carry our parcels."""

    view_permission = "carriers:view"
    icon, rank = "local_shipping", 50
    list_display = ("name", mono("code"), "provider", "is_active")
    inlines = [ServiceInline]
    fields = ("name", "code", "provider", "tracking_url_template", "is_active")


class ZoneRuleInline(ReadOnlyInline):
    model = ZoneRule
    fields = ("country", "postal_prefix")
    readonly_fields = fields


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin):
    """Parts of the world that cost the same to reach."""

    view_permission = "carriers:view"
    icon, rank = "public", 60
    list_display = ("name", mono("code"), "is_active")
    inlines = [ZoneRuleInline]


@admin.register(RateRule)
class RateRuleAdmin(ReadOnlyAdmin):
    """What a service costs to a zone."""

    view_permission = "carriers:view"
    icon, rank = "price_change", 61
    list_display = (
        "label",
        link_to("zone"),
        "measure",
        quantity("up_to", "up to"),
        amount("amount"),
    )
    list_filter = ("zone", "measure", "service__carrier")
    list_select_related = ("service__carrier", "zone")

    @admin.display(description="service", ordering="service")
    def label(self, rule: RateRule) -> SafeString | str:
        return str(rule.service)
