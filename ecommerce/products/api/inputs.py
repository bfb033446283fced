"""The shapes of what clients send about products."""

from typing import Any

from rest_framework import serializers

from ecommerce.products.models import Category, Merchant, Product
from ecommerce.products.services.wizard import GRAMS
from platform_site.common.api import Amount, Id, Input

PREFIXES = ("dimensions_", "shipping_")
MAX_ROWS = 1000


def text(max_length: int = 200, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(max_length=max_length, required=False, allow_blank=True, **kwargs)


def texts(max_length: int = 300) -> serializers.ListField:
    child = serializers.CharField(max_length=max_length)
    return serializers.ListField(child=child, required=False, max_length=100)


def number(**kwargs: Any) -> serializers.FloatField:
    return serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000, **kwargs
    )


def whole(minimum: int = 0) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=minimum, max_value=1_000_000
    )


def flag() -> serializers.BooleanField:
    return serializers.BooleanField(required=False)


def rows() -> serializers.ListField:
    return serializers.ListField(child=serializers.DictField(), required=False, max_length=100)


def money(**kwargs: Any) -> Amount:
    return Amount(**{"min_value": 0, **kwargs})


class StockInput(Input):
    """The opening stock of a product in one warehouse."""

    warehouse_id = Id()
    quantity = serializers.IntegerField(min_value=0, max_value=1_000_000_000)
    low_stock_threshold = whole()


class BundleItemInput(Input):
    """So many of a product in a bundle."""

    product_id = Id()
    quantity = serializers.IntegerField(min_value=1, max_value=10_000)


class KeptInput(Input):
    """What the wizard knows and no rule of ours asks for yet: kept and returned as given."""

    display_name = text(300)
    model_number = text()
    key_features = texts()
    material = text()
    color = text(60)
    warranty_period = text(60)
    country_of_origin = text(80)
    specifications = serializers.DictField(required=False)
    dimensions = serializers.DictField(required=False)
    tax_rate = number()
    pricing_tiers = rows()
    handling_time_days = whole()
    is_fragile = flag()
    is_perishable = flag()
    marketplace_listings = rows()
    gtin = text(14)
    upc = text(14)
    ean = text(14)
    isbn = text(17)
    asin = text(14)
    certifications = texts()
    has_age_restriction = flag()
    min_age = whole()
    is_hazmat = flag()
    hazmat_class = text(60)
    requires_signature = flag()
    export_restriction_countries = texts(80)
    safety_warnings = texts(1000)
    is_bundle = flag()
    weight_unit = serializers.ChoiceField(sorted(GRAMS), required=False)


KEPT_AS_GIVEN = tuple(KeptInput().fields)


class ProductInput(KeptInput):
    """Every field of the wizard. `status` and `is_draft` say where the product should stand."""

    aliases = {
        "merchantId": "merchant_id",
        "categoryId": "category_id",
        "compareAtPrice": "compare_at_price",
        "productType": "product_type",
        "isFeatured": "is_featured",
        "warehouseInventory": "warehouse_inventory",
        "bundleItems": "bundle_items",
    }

    merchant_id = serializers.PrimaryKeyRelatedField(
        queryset=Merchant.objects.all(), source="merchant"
    )
    sku = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=300)
    price = money()
    cost = money(required=False, allow_null=True)
    compare_at_price = money(required=False, allow_null=True)
    category_id = serializers.PrimaryKeyRelatedField(
        queryset=Category.objects.all(), source="category", required=False, allow_null=True
    )
    slug = text()
    description = text(20_000)
    short_description = text(500)
    status = serializers.ChoiceField(Product.Status.choices, required=False)
    is_draft = flag()
    scheduled_publish_at = serializers.DateTimeField(required=False, allow_null=True)
    is_featured = flag()
    images = texts(500)
    tags = texts(60)
    metadata = serializers.DictField(required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    tax_class = serializers.CharField(max_length=20, required=False)
    product_type = serializers.ChoiceField(Product.Kind.choices, required=False)
    brand = text(120)
    requires_shipping = flag()
    weight = number()
    warehouse_inventory = StockInput(many=True, required=False)
    bundle_items = BundleItemInput(many=True, required=False)

    def to_internal_value(self, data: Any) -> Any:
        fields = super().to_internal_value(data)
        for name, value in data.items():
            if name.startswith(PREFIXES) and isinstance(value, (str, int, float)):
                fields[name] = value[:200] if isinstance(value, str) else value
        if (is_draft := fields.pop("is_draft", None)) is not None:
            fields.setdefault("status", Product.Status.DRAFT if is_draft else Product.Status.ACTIVE)
        return fields


class ProductsChosenInput(Input):
    """Some products by their ids: `[1, 2]` or `{"ids": [1, 2]}`."""

    ids = serializers.ListField(child=Id(), min_length=1, max_length=MAX_ROWS)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"ids": data} if isinstance(data, list) else data)


class ProductsStatusInput(ProductsChosenInput):
    """Some products and the status that they shall have; the status may stand in the query."""

    status = serializers.ChoiceField(Product.Status.choices)

    def to_internal_value(self, data: Any) -> Any:
        body = {"ids": data} if isinstance(data, list) else data
        query = self.context.get("query", {})
        return super().to_internal_value({**query, **body} if isinstance(body, dict) else body)


class ProductsImportInput(Input):
    """Rows with the wizard's fields; each is checked by itself."""

    products = serializers.ListField(
        child=serializers.DictField(), min_length=1, max_length=MAX_ROWS
    )
    dry_run = serializers.BooleanField(default=False)


class CategoryCreateInput(Input):
    """A new node of the tree."""

    aliases = {"parentId": "parent_id", "isActive": "is_active"}

    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=200)
    description = text(10_000)
    parent_id = serializers.PrimaryKeyRelatedField(
        queryset=Category.objects.all(), source="parent", required=False, allow_null=True
    )
    is_active = serializers.BooleanField(default=True)
    sort_order = serializers.IntegerField(required=False, min_value=-10_000, max_value=10_000)
    image_url = text(500)
