"""The catalogue: who sells, through which channel, and what."""

from typing import Any, Never

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import MoneyField


class Merchant(BaseModel):
    """A company that sells through this platform and issues the invoices."""

    code = models.SlugField(max_length=40, unique=True)
    business_name = models.CharField(max_length=200)
    business_type = models.CharField(max_length=40, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    description = models.TextField(blank=True)
    logo_url = models.CharField(max_length=500, blank=True)
    email = models.EmailField(blank=True)
    address = models.JSONField(default=dict, blank=True)  # the keys of every address
    commission_rate = models.DecimalField(max_digits=6, decimal_places=4, null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.business_name


class SalesChannel(BaseModel):
    """A way in which orders reach us, with the currency and language spoken there."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)  # ISO 4217
    locale = models.CharField(max_length=12, default="en-GB")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name


class Category(BaseModel):
    """A node of the tree in which shoppers look for products."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    image_url = models.CharField(max_length=500, blank=True)
    is_active = models.BooleanField(default=True)
    sort_order = models.IntegerField(default=0)

    class Meta:
        ordering = ("sort_order", "name", "pk")
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class ProductStatus(models.TextChoices):
    DRAFT = "draft"  # being written, cannot be ordered
    ACTIVE = "active"  # on sale
    INACTIVE = "inactive"  # taken off sale for a while
    ARCHIVED = "archived"  # kept for the orders that name it


class Product(StatefulModel):
    """Something we offer; what is bought, priced and counted are its variants."""

    Status = ProductStatus

    class Kind(models.TextChoices):
        SIMPLE = "simple"
        VARIABLE = "variable"
        GROUPED = "grouped"
        EXTERNAL = "external"

    TRANSITIONS = {
        Status.DRAFT: {Status.ACTIVE, Status.ARCHIVED},
        Status.ACTIVE: {Status.INACTIVE, Status.ARCHIVED},
        Status.INACTIVE: {Status.ACTIVE, Status.ARCHIVED},
        Status.ARCHIVED: {Status.DRAFT},
    }

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    name = models.CharField(max_length=300)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    short_description = models.CharField(max_length=500, blank=True)
    product_type = models.CharField(max_length=20, choices=Kind, default=Kind.SIMPLE)
    brand = models.CharField(max_length=120, blank=True)
    tax_class = models.CharField(max_length=20, default="standard")
    currency = models.CharField(max_length=3, default="GBP")  # of the variants' prices
    requires_shipping = models.BooleanField(default=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    publish_at = models.DateTimeField(null=True, blank=True)
    is_featured = models.BooleanField(default=False)
    images = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    # What the wizard knows and no rule asks for: materials, certifications, tiers, dimensions.
    attributes = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    published_at = models.DateTimeField(null=True, editable=False)  # the first time
    sales_count = models.PositiveIntegerField(default=0, editable=False)  # cache over Sale

    class Meta:
        ordering = ("-pk",)
        constraints = [status_known(ProductStatus)]
        indexes = [
            models.Index(fields=["status", "-created_at"], name="products_product_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_variant(self) -> "Variant | None":
        """The variant that speaks for the product where clients know only one SKU and price."""
        return next(iter(self.variants.all()), None)


class Variant(BaseModel):
    """One thing on a shelf: a SKU with its price, cost and weight."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=300, blank=True)
    barcode = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict, blank=True)
    price = MoneyField()
    cost = MoneyField(null=True, blank=True)
    compare_at_price = MoneyField(null=True, blank=True)
    weight_g = models.PositiveIntegerField(null=True, blank=True)
    track_inventory = models.BooleanField(default=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="products_variant_price_gte_0"),
            models.CheckConstraint(
                condition=Q(cost=None) | Q(cost__gte=0), name="products_variant_cost_gte_0"
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def title(self) -> str:
        """What a line of an order calls it."""
        return self.name or self.product.name


class BundleLine(BaseModel):
    """So many of one product inside a bundle."""

    bundle = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="bundle_lines")
    component = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="in_bundles")
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("bundle", "component"), name="products_bundleline_component_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="products_bundleline_quantity_gte_1"
            ),
            models.CheckConstraint(
                condition=~Q(bundle=models.F("component")), name="products_bundleline_not_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.component}"


class Sale(models.Model):
    """So many units of a variant in one delivered order; written once, never changed or deleted."""

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="sales")
    order_number = models.CharField(max_length=40)
    quantity = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=("variant", "order_number"), name="products_sale_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant} in {self.order_number}"

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Ledger rows stay. Raises TypeError always."""
        raise TypeError("A sale is a ledger row and is never deleted.")
