"""The catalogue in the console."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ecommerce.products import services
from ecommerce.products.models import Category, Merchant, Product, SalesChannel, Variant
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
    pretty_json,
    quantity,
    service_action,
    timeline,
)
from platform_site.common.admin.columns import money


class VariantInline(ReadOnlyInline):
    model = Variant
    fields = ("sku", "name", "price", "cost", "weight_g", "barcode", "track_inventory")
    readonly_fields = fields


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    """What we offer."""

    view_permission = "products:view"
    icon, rank = "inventory_2", 20
    list_display = (
        "name",
        chip("status"),
        "lowest_price",
        quantity("variant_count", "variants"),
        "brand",
        link_to("category"),
        ago("updated_at", "changed"),
    )
    list_filter = ("status", "product_type", "is_featured", "merchant")
    list_select_related = ("category",)
    search_fields = ("name", "=variants__sku", "slug")
    search_help_text = "A part of the name, or a whole SKU."
    fieldsets = (
        (None, {"fields": (("name", chip("status")), ("brand", "category"), "description")}),
        (
            "Selling",
            {
                "fields": (
                    ("product_type", "tax_class", "currency"),
                    ("requires_shipping", "is_featured", "publish_at"),
                    "tags",
                    pretty_json("attributes"),
                )
            },
        ),
        ("Record", {"fields": (("merchant", "slug"), ("created_at", "updated_at", "version"))}),
    )
    inlines = [VariantInline]
    actions = [
        service_action(
            services.product_publish,
            "Publish",
            to=Product.Status.ACTIVE,
            icon="storefront",
            effect="It can be ordered from now on.",
        ),
        service_action(
            services.product_archive,
            "Archive",
            to=Product.Status.ARCHIVED,
            danger=True,
            icon="archive",
            effect="It can no longer be ordered; orders that name it keep it.",
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(
            lowest=Min("variants__price"), variant_count=Count("variants", distinct=True)
        )

    @admin.display(description="price from", ordering="lowest")
    def lowest_price(self, product: Any) -> SafeString | str:
        return money(product.lowest, product.currency)

    def panels(self, request: HttpRequest, row: Product) -> list[Panel]:
        return [timeline(history(row))]


@admin.register(Variant)
class VariantAdmin(ReadOnlyAdmin):
    """One SKU with its price."""

    view_permission = "products:view"
    icon, rank = "qr_code_2", 21
    list_display = (
        mono("sku", "SKU"),
        "title",
        amount("price", currency="product__currency"),
        chip("product__status", "status"),
        quantity("weight_g", "grams"),
        ago("updated_at", "changed"),
    )
    list_filter = ("product__status", "track_inventory")
    list_select_related = ("product",)
    search_fields = ("=sku", "name", "=barcode")

    def panels(self, request: HttpRequest, row: Variant) -> list[Panel]:
        return [timeline(history(row, row.product))]


class PlainAdmin(ReadOnlyAdmin):
    """Rows that an installation has few of."""

    view_permission = "products:view"
    rank = 80


@admin.register(Category)
class CategoryAdmin(PlainAdmin):
    """The tree of the shop."""

    icon = "account_tree"
    list_display = ("name", mono("slug"), link_to("parent"), "is_active", "sort_order")
    list_select_related = ("parent",)
    search_fields = ("name", "slug")


@admin.register(Merchant)
class MerchantAdmin(PlainAdmin):
    """Who sells and issues the invoices."""

    icon = "store"
    list_display = ("business_name", mono("code"), "tax_id", "email", "is_active")


@admin.register(SalesChannel)
class SalesChannelAdmin(PlainAdmin):
    """Ways in which orders reach us."""

    icon = "call_split"
    list_display = ("name", mono("code"), "currency", "locale", "is_active")
