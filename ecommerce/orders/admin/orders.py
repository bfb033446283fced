"""The page of an order: where it stands, what holds it, and everything that happened to it."""

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ecommerce.inventory.models import Reservation
from ecommerce.orders import services
from ecommerce.orders.admin.dialogs import HoldDialog, NoteDialog, ReleaseDialog
from ecommerce.orders.admin.filters import CameFilter, HeldFilter
from ecommerce.orders.models import (
    Order,
    OrderHold,
    OrderItem,
)
from ecommerce.orders.story import related_rows, story_of
from ecommerce.payments.models import Payment
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ReasonDialog,
    ago,
    amount,
    chip,
    link_to,
    mono,
    postal,
    row_link,
    service_action,
    status_chip,
    table,
    timeline,
)
from platform_site.common.admin.columns import EMPTY, moment


class ItemInline(ReadOnlyInline):
    model = OrderItem
    fields = (
        "sku",
        "name",
        "quantity",
        "fulfilled",
        "cancelled",
        "unit_price",
        "tax",
        "total_price",
    )
    readonly_fields = fields
    show_change_link = False


def _cancel_effect(order: Order) -> str:
    promised = Reservation.objects.filter(subject=order.subject, status=Reservation.Status.ACTIVE)
    units = promised.aggregate(sum=Sum(F("quantity") - F("shipped")))["sum"] or 0
    payments = Payment.objects.filter(order_number=order.order_number)
    uncaptured = sum(payment.uncaptured for payment in payments)
    back = sum(payment.refundable for payment in payments)
    return (
        f"Releases {units} units, lets go of {uncaptured} {order.currency}, pays back {back} "
        f"{order.currency} and tells the customer. There is no undo."
    )


def _is_stoppable(order: Order) -> bool:
    return order.status in Order.OPEN and order.status != Order.Status.SHIPPED


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What customers bought, and how far it is."""

    view_permission = "orders:view"
    icon, rank = "shopping_cart", 5
    personal = (
        "email",
        "card_last4",
        "customer_notes",
        ship_to := postal("shipping_address", "ships to"),
        bill_to := postal("billing_address", "invoice to"),
    )
    list_display = (
        mono("order_number", "order"),
        chip("status"),
        chip("payment_status", "payment"),
        chip("fulfillment_status", "parcels"),
        "held_for",
        link_to("customer"),
        amount("total"),
        ago("placed_at", "placed"),
        ago("created_at", "came"),
    )
    list_filter = (
        "status",
        "payment_status",
        "fulfillment_status",
        HeldFilter,
        CameFilter,
        "origin",
        "channel",
    )
    list_select_related = ("customer",)
    search_fields = ("=order_number", "=external_ref", "=items__sku")
    search_help_text = "An order number, the number in another system, or a SKU."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    (
                        chip("status"),
                        chip("payment_status", "payment"),
                        chip("fulfillment_status", "parcels"),
                    ),
                    ("held_for", link_to("customer"), "email"),
                    (ago("placed_at", "placed"), ago("created_at", "came"), "expires_at"),
                    ("channel", "origin", mono("external_ref", "reference elsewhere")),
                    "cancel_reason",
                )
            },
        ),
        (
            "Money",
            {
                "fields": (
                    (amount("total"), amount("subtotal"), amount("discount")),
                    (amount("tax"), amount("shipping_cost", "shipping"), "payment_method"),
                )
            },
        ),
        ("Addresses", {"fields": ((ship_to, bill_to), ("customer_notes", "card_last4"))}),
    )
    inlines = [ItemInline]
    actions = [
        service_action(
            services.order_hold,
            "Hold",
            form=HoldDialog,
            when=_is_stoppable,
            icon="front_hand",
            effect="Nothing of it is confirmed or shipped until the hold is released.",
        ),
        service_action(
            services.order_release,
            "Release",
            form=ReleaseDialog,
            when=lambda order: order.holds.filter(released_at=None).exists(),
            icon="lock_open",
            effect="All its holds end and it goes on by itself; an open fraud case is approved.",
        ),
        service_action(
            services.note_add,
            "Note",
            form=NoteDialog,
            icon="edit_note",
            effect="Colleagues see it here; the customer does not.",
        ),
        service_action(
            services.order_cancel,
            "Cancel",
            form=ReasonDialog,
            to=Order.Status.CANCELLED,
            danger=True,
            icon="cancel",
            effect=_cancel_effect,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        active = OrderHold.objects.filter(order=OuterRef("pk"), released_at=None).order_by("pk")
        return rows.annotate(hold_reason=active.values("reason")[:1])

    @admin.display(description="held for")
    def held_for(self, order: Any) -> SafeString | str:
        return status_chip(order.hold_reason, "attention") if order.hold_reason else EMPTY

    def panels(self, request: HttpRequest, row: Order) -> list[Panel]:
        related = related_rows(row)
        return [
            _holds(row),
            _notes(row),
            table("What belongs to it", ("what", "state", "since"), _related(related)),
            timeline(story_of(row, related), note="What people and agents did, newest first."),
        ]


def _holds(order: Order) -> Panel:
    rows = [
        (
            row_link(hold, hold.reason),
            hold.note,
            hold.placed_by,
            moment(hold.created_at),
            f"{hold.released_by}: {hold.release_note}" if hold.released_at else status_chip("held"),
        )
        for hold in order.holds.all()
    ]
    headers = ("reason", "note", "by", "since", "released")
    return table("Holds", headers, rows, empty="Nothing stops this order.")


def _notes(order: Order) -> Panel:
    rows = [(note.text, note.author, moment(note.created_at)) for note in order.remarks.all()]
    return table("Notes", ("note", "by", "when"), rows, empty="Nobody wrote anything.")


def _related(rows: list[Any]) -> list[tuple[Any, ...]]:
    return [(row_link(row), status_chip(row.status), moment(row.created_at)) for row in rows]
