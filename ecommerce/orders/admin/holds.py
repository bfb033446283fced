"""Holds: what stops orders, as a list of work."""

from django.contrib import admin
from django.utils.safestring import SafeString

from ecommerce.orders import services
from ecommerce.orders.admin.dialogs import ReleaseDialog, TakeDialog
from ecommerce.orders.models import (
    OrderHold,
)
from platform_site.common.admin import (
    ReadOnlyAdmin,
    ago,
    link_to,
    service_action,
    status_chip,
)


@admin.register(OrderHold)
class OrderHoldAdmin(ReadOnlyAdmin):
    """What stops orders: the work list of whoever looks after them."""

    view_permission = "orders:view"
    icon, rank = "front_hand", 6
    list_display = (
        link_to("order"),
        "reason",
        "note",
        "state",
        "owner",
        "placed_by",
        ago("created_at", "since"),
    )
    list_filter = ("reason", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("order",)
    list_display_links = ("reason",)
    search_fields = ("=order__order_number", "=owner")
    fields = (
        (link_to("order"), "reason", "state"),
        ("note", "owner"),
        ("placed_by", "created_at"),
        ("released_by", "released_at", "release_note"),
    )
    actions = [
        service_action(
            services.hold_assign,
            "Take",
            form=TakeDialog,
            when=lambda hold: hold.is_active,
            icon="assignment_ind",
            effect="You look into it; colleagues see that.",
        ),
        service_action(
            services.hold_release,
            "Release",
            form=ReleaseDialog,
            when=lambda hold: hold.is_active,
            icon="lock_open",
            effect="The order goes on, as far as this hold is concerned.",
        ),
    ]

    @admin.display(description="state", ordering="released_at")
    def state(self, hold: OrderHold) -> SafeString | str:
        return status_chip("held") if hold.is_active else status_chip("released", "done")
