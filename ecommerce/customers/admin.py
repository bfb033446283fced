"""Customers in the console; mail and phone are masked without the right to see them."""

from django.contrib import admin
from django.http import HttpRequest

from ecommerce.customers import services
from ecommerce.customers.models import Address, Customer, Purchase
from messaging.history import history
from platform_site.common.admin import (
    Panel,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ReasonDialog,
    ago,
    amount,
    chip,
    mono,
    pretty_json,
    quantity,
    row_link,
    search_link,
    service_action,
    table,
    timeline,
)
from platform_site.common.admin.callers import may
from platform_site.common.admin.columns import code, moment, money


class AddressInline(ReadOnlyInline):
    model = Address
    fields = ("kind", "is_default", "company", "line1", "postal_code", "city", "country")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return may(request, "customer:personal")


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Who may place orders, and what they bought so far."""

    view_permission = "customers:view"
    icon, rank = "groups", 20
    personal = ("email", "phone", "notes", "tax_id")
    list_display = (
        "__str__",
        mono("external_ref", "reference"),
        "email",
        chip("status"),
        quantity("total_orders", "orders"),
        amount("total_spent", "spent"),
        ago("last_order_at", "last order"),
    )
    list_filter = ("status", "customer_group")
    search_fields = ("first_name", "last_name", "=external_ref", "=email")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("first_name", "last_name", chip("status")),
                    ("email", "phone"),
                    ("external_ref", "tax_id", "locale"),
                    "notes",
                )
            },
        ),
        (
            "Purchases",
            {
                "fields": (
                    ("total_orders", amount("total_spent", "total spent")),
                    ("last_order_at", "created_at"),
                    "tags",
                    pretty_json("metadata"),
                )
            },
        ),
    )
    inlines = [AddressInline]
    actions = [
        service_action(
            services.customer_block,
            "Block",
            form=ReasonDialog,
            to=Customer.Status.BLOCKED,
            danger=True,
            icon="block",
            effect="They can no longer place orders. Orders on their way go on.",
        ),
        service_action(
            services.customer_unblock,
            "Unblock",
            to=Customer.Status.ACTIVE,
            icon="lock_open",
            effect="They can place orders again.",
        ),
    ]

    def panels(self, request: HttpRequest, row: Customer) -> list[Panel]:
        purchases = [
            (code(item.order_number), money(item.amount, item.currency), moment(item.at))
            for item in row.purchases.all()[:50]
        ]
        headers = ("order", "amount", "when")
        note = "The ledger behind the totals above: delivered orders."
        return [
            table("Purchases", headers, purchases, note=note, empty="Nothing was delivered yet."),
            timeline(history(row)),
        ]


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    """The ledger of what customers bought."""

    view_permission = "customers:view"
    icon, rank = "receipt", 60
    list_display = (
        search_link("order_number", "orders_order", "order"),
        "buyer",
        amount("amount"),
        ago("at", "when"),
    )
    list_select_related = ("customer",)
    list_display_links = None
    search_fields = ("=order_number",)

    @admin.display(description="customer")
    def buyer(self, purchase: Purchase) -> str:
        return row_link(purchase.customer)
