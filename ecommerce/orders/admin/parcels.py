"""The parcels of orders."""

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.orders import services
from ecommerce.orders.models import (
    Fulfillment,
    FulfillmentItem,
)
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ReasonDialog,
    ago,
    chip,
    link_to,
    mono,
    service_action,
    timeline,
)


class ParcelLineInline(ReadOnlyInline):
    model = FulfillmentItem
    fields = ("item", "quantity")
    readonly_fields = fields
    show_change_link = False


@admin.register(Fulfillment)
class FulfillmentAdmin(ReadOnlyAdmin):
    """What leaves which warehouse together."""

    view_permission = "orders:view"
    icon, rank = "package_2", 15
    list_display = (
        "__str__",
        chip("status"),
        link_to("order"),
        link_to("warehouse"),
        mono("tracking_number", "tracking"),
        ago("shipped_at", "shipped"),
        ago("created_at", "made"),
    )
    list_filter = ("status", "warehouse")
    list_select_related = ("order", "warehouse")
    search_fields = ("=order__order_number", "=tracking_number")
    inlines = [ParcelLineInline]
    actions = [
        service_action(
            services.fulfillment_cancel,
            "Cancel",
            form=ReasonDialog,
            to=Fulfillment.Status.CANCELLED,
            danger=True,
            icon="cancel",
            effect="The pick is called off and the label given back; the order itself stays.",
        ),
    ]

    def panels(self, request: HttpRequest, row: Fulfillment) -> list[Panel]:
        return [timeline(history(row))]
