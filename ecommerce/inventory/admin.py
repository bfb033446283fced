"""Stock in the console: levels, promises and the ledger behind both."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator

from ecommerce.inventory import services
from ecommerce.inventory.figures import IS_LOW, IS_OUT
from ecommerce.inventory.models import Reservation, StockLevel, StockMovement
from messaging.history import history
from platform_site.common.admin import (
    ChoiceFilter,
    Dialog,
    Panel,
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    chip,
    link_to,
    mono,
    quantity,
    row_link,
    service_action,
    status_chip,
    table,
    timeline,
)
from platform_site.common.admin.columns import moment
from platform_site.common.admin.forms import text_field, whole_field


class AdjustDialog(ReasonDialog):
    """By how much the shelf differs from the books."""

    change = whole_field("Change", help_text="Units more (7) or fewer (-7) on the shelf.")


class CountDialog(Dialog):
    """What was counted on the shelf."""

    quantity = whole_field("Counted", min_value=0)
    reason = text_field("Reason", required=False)


def of_level(service: Callable[..., Any]) -> Callable[..., Any]:
    """The service, which speaks of a variant in a warehouse, for the level that stands for both."""

    @wraps(service)
    def call(level: StockLevel, **arguments: Any) -> Any:
        return service(variant=level.variant, warehouse=level.warehouse, **arguments)

    return call


class LowFilter(ChoiceFilter):
    """Levels at or below their reorder point."""

    title = "stock"
    parameter_name = "stock"
    conditions = {"low": ("low", IS_LOW), "none": ("nothing left", IS_OUT)}


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    """What lies where, and how much of it is promised."""

    view_permission = "inventory:view"
    icon, rank = "shelves", 10
    list_display = (
        mono("variant__sku", "SKU"),
        "variant_name",
        link_to("warehouse"),
        quantity("on_hand", "on hand"),
        quantity("reserved"),
        quantity("available", order=None),
        quantity("reorder_point", "reorder at"),
        ago("updated_at", "moved"),
    )
    list_filter = (LowFilter, "warehouse")
    list_select_related = ("variant__product", "warehouse")
    search_fields = ("=variant__sku", "variant__name", "variant__product__name")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("variant", "warehouse"),
                    (quantity("on_hand", "on hand"), quantity("reserved")),
                    (quantity("available", order=None), "incoming", "backorder_limit"),
                    ("safety_stock", "reorder_point", "reorder_quantity"),
                    ("last_restock_at", "last_count_at"),
                )
            },
        ),
    )
    actions = [
        service_action(
            of_level(services.stock_adjust),
            "Adjust",
            form=AdjustDialog,
            icon="tune",
            effect=lambda level: f"{level.on_hand} lie there, {level.reserved} are promised.",
        ),
        service_action(
            of_level(services.stock_count),
            "Count",
            form=CountDialog,
            icon="pin",
            effect=lambda level: f"The books say {level.on_hand}. A difference is booked.",
        ),
    ]

    @admin.display(description="product")
    def variant_name(self, level: StockLevel) -> str:
        return level.variant.title

    def panels(self, request: HttpRequest, row: StockLevel) -> list[Panel]:
        movements = [
            (
                status_chip(line.kind, "waiting"),
                f"{line.quantity:+d}",
                f"{line.reserved_change:+d}",
                line.balance_after,
                line.reserved_after,
                line.subject or line.source,
                line.actor,
                moment(line.created_at),
            )
            for line in row.movements.all()[:50]
        ]
        promises = [
            (row_link(item), item.quantity, status_chip(item.status), moment(item.expires_at))
            for item in row.reservations.filter(status=Reservation.Status.ACTIVE)[:50]
        ]
        headers = ("what", "shelf", "promised", "on hand", "reserved", "for", "by", "when")
        note = "The ledger: the newest 50 movements. The totals above follow from it."
        return [
            table("Movements", headers, movements, note=note),
            table("Promised to", ("to", "units", "state", "until"), promises),
            timeline(history(row)),
        ]


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Units that are promised."""

    view_permission = "inventory:view"
    icon, rank = "bookmark", 20
    list_display = (
        mono("subject"),
        chip("status"),
        mono("level__variant__sku", "SKU"),
        quantity("quantity"),
        quantity("shipped"),
        ago("expires_at", "until"),
        ago("created_at", "promised"),
    )
    list_filter = ("status", "level__warehouse")
    list_select_related = ("level__variant",)
    search_fields = ("=subject", "=level__variant__sku")


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """The stock ledger; nobody changes or deletes a line."""

    view_permission = "inventory:view"
    icon, rank = "swap_vert", 30
    paginator = InfinitePaginator
    list_display = (
        "kind",
        mono("level__variant__sku", "SKU"),
        quantity("quantity", "shelf"),
        quantity("reserved_change", "promised"),
        quantity("balance_after", "on hand"),
        mono("subject"),
        "actor",
        ago("created_at", "when"),
    )
    list_filter = ("kind", "level__warehouse")
    list_select_related = ("level__variant",)
    search_fields = ("=level__variant__sku", "=subject", "=source")
