"""Payments in the console: totals, the ledger behind them, captures and refunds."""

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.payments import services
from ecommerce.payments.models import Payment, PaymentMethod, Refund
from messaging.history import history
from platform_site.common.admin import (
    KeyedDialog,
    Panel,
    ReadOnlyAdmin,
    ReasonDialog,
    ago,
    amount,
    chip,
    link_to,
    mono,
    row_link,
    search_link,
    service_action,
    status_chip,
    table,
    timeline,
)
from platform_site.common.admin.columns import moment, money
from platform_site.common.admin.forms import amount_field, text_field


class CaptureDialog(KeyedDialog):
    """A part, or everything that is left."""

    amount = amount_field("Amount", required=False, help_text="Empty: all that is left.")


class RefundDialog(KeyedDialog):
    """How much goes back, and why."""

    amount = amount_field("Amount")
    reason = text_field("Reason", help_text="Kept in the log with your name.")


def _left(payment: Payment) -> str:
    return f"{payment.uncaptured} {payment.currency} of {payment.authorized} are left to take."


def _returnable(payment: Payment) -> str:
    return (
        f"{payment.refundable} {payment.currency} of {payment.captured} can go back; "
        "above the limit of the method a second person decides."
    )


def _released(payment: Payment) -> str:
    return f"Lets go of {payment.uncaptured} {payment.currency} that were not taken yet. No undo."


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Money for orders; the totals follow from the ledger below."""

    view_permission = "payments:view"
    icon, rank = "payments", 30
    personal = ("card_last4",)
    list_display = (
        "__str__",
        chip("status"),
        search_link("order_number", "orders_order", "order"),
        amount("amount"),
        amount("captured"),
        amount("refunded"),
        "method_name",
        ago("created_at", "asked"),
    )
    list_filter = ("status", "method", "currency")
    search_fields = ("=order_number", "=provider_ref")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    (chip("status"), search_link("order_number", "orders_order", "order")),
                    ("method_name", "provider", mono("provider_ref", "reference")),
                    ("card_brand", "card_last4"),
                )
            },
        ),
        (
            "Totals",
            {
                "fields": (
                    (amount("amount"), amount("authorized"), amount("captured")),
                    (amount("refunded"), amount("voided"), amount("capture_pending")),
                    (amount("refund_pending"), amount("void_pending")),
                )
            },
        ),
        (
            "Troubles",
            {"fields": (("error", "unknown_since"), ("unwound_at", "unwind_reason"), "paid_at")},
        ),
    )
    actions = [
        service_action(
            services.payment_capture,
            "Capture",
            form=CaptureDialog,
            when=lambda payment: payment.uncaptured > 0,
            icon="credit_score",
            effect=_left,
        ),
        service_action(
            services.payment_refund,
            "Refund",
            form=RefundDialog,
            when=lambda payment: payment.refundable > 0,
            icon="undo",
            effect=_returnable,
        ),
        service_action(
            services.payment_void,
            "Void",
            form=ReasonDialog,
            when=lambda payment: payment.status in Payment.OPEN,
            danger=True,
            icon="money_off",
            effect=_released,
        ),
    ]

    def panels(self, request: HttpRequest, row: Payment) -> list[Panel]:
        lines = [
            (
                line.kind,
                status_chip(line.phase),
                money(line.amount, row.currency),
                line.error,
                line.actor,
                moment(line.created_at),
            )
            for line in row.events.all()[:100]
        ]
        refunds = [
            (
                row_link(refund),
                status_chip(refund.status),
                money(refund.amount, row.currency),
                refund.reason,
                refund.requested_by,
            )
            for refund in row.refunds.select_related("payment")
        ]
        ledger = ("what", "phase", "amount", "error", "by", "when")
        return [
            table("Ledger", ledger, lines, note="Each request to the provider, and its answer."),
            table("Refunds", ("refund", "state", "amount", "reason", "wanted by"), refunds),
            timeline(history(row)),
        ]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money that goes back; above the limit somebody else decides."""

    view_permission = "payments:view"
    icon, rank = "currency_exchange", 31
    list_display = (
        "__str__",
        chip("status"),
        link_to("payment"),
        amount("amount", currency="payment__currency"),
        "reason",
        "requested_by",
        "decided_by",
        ago("created_at", "asked"),
    )
    list_filter = ("status",)
    list_select_related = ("payment",)
    search_fields = ("=payment__order_number",)
    actions = [
        service_action(
            services.refund_decide,
            "Approve",
            name="refund_approve",
            given={"approve": True},
            form=ReasonDialog,
            to=Refund.Status.APPROVED,
            when=lambda refund: refund.status == Refund.Status.REQUESTED,
            icon="how_to_reg",
            effect="The money goes back to the customer. Never one's own wish.",
        ),
        service_action(
            services.refund_decide,
            "Decline",
            name="refund_decline",
            given={"approve": False},
            form=ReasonDialog,
            to=Refund.Status.DECLINED,
            danger=True,
            icon="block",
            effect="Nothing is paid back.",
        ),
        service_action(
            services.refund_retry,
            "Try again",
            when=lambda refund: refund.status == Refund.Status.FAILED,
            icon="refresh",
            effect="The provider is asked again under a new key.",
        ),
    ]

    def panels(self, request: HttpRequest, row: Refund) -> list[Panel]:
        return [timeline(history(row, row.payment))]


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    """Ways to pay."""

    view_permission = "payments:view"
    icon, rank = "credit_card", 85
    list_display = ("name", mono("code"), "provider", "enabled", "refund_limit", "position")
