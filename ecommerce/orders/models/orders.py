"""The order and its lines."""

import secrets
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import ZERO, MoneyField

# SQLite compares amounts as floating-point numbers: equal is "closer than half a cent".
HALF_A_CENT = Decimal("0.005")
_SUM = F("subtotal") - F("discount") + F("shipping_cost") + F("tax")
_LINE = F("quantity") * F("unit_price")


def unnumbered() -> str:
    """Stands in `order_number` until the row has its key, within one transaction."""
    return secrets.token_hex(10)


class OrderStatus(models.TextChoices):
    """Where an order stands."""

    PENDING = "pending"  # placed and its stock reserved; not yet paid, assessed or released
    CONFIRMED = "confirmed"  # paid or authorised, and nothing holds it
    PROCESSING = "processing"  # its parcels are being picked and packed
    SHIPPED = "shipped"  # the carrier has all of it
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # not paid within the payment window


class Order(StatefulModel):
    """A customer's promise to buy and ours to deliver, at the prices of the day it was placed."""

    Status = OrderStatus

    class Payment(models.TextChoices):
        UNPAID = "unpaid"
        AUTHORIZED = "authorized"
        PAID = "paid"
        FAILED = "failed"
        PARTIALLY_REFUNDED = "partially_refunded"
        REFUNDED = "refunded"

    class Fulfilled(models.TextChoices):
        UNFULFILLED = "unfulfilled"
        PARTIALLY_FULFILLED = "partially_fulfilled"
        FULFILLED = "fulfilled"
        RETURNED = "returned"

    class Origin(models.TextChoices):
        API = "api"
        D2C = "d2c"
        MARKETPLACE = "marketplace"
        DRAFT = "draft"
        REISSUE = "reissue"
        IMPORT = "import"

    TRANSITIONS = {
        Status.PENDING: {Status.CONFIRMED, Status.CANCELLED, Status.EXPIRED},
        Status.CONFIRMED: {Status.PROCESSING, Status.CANCELLED},
        Status.PROCESSING: {Status.SHIPPED, Status.CANCELLED},
        Status.SHIPPED: {Status.DELIVERED},
        Status.DELIVERED: set(),
        Status.CANCELLED: set(),
        Status.EXPIRED: set(),
    }
    OPEN = (Status.PENDING, Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED)

    order_number = models.CharField(max_length=20, unique=True, default=unnumbered, editable=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    # Both are computed from payments and fulfillments by `order_refresh`, and by nothing else.
    payment_status = models.CharField(max_length=20, choices=Payment, default=Payment.UNPAID)
    fulfillment_status = models.CharField(
        max_length=20, choices=Fulfilled, default=Fulfilled.UNFULFILLED
    )

    merchant = models.ForeignKey("products.Merchant", models.PROTECT, related_name="orders")
    channel = models.ForeignKey("products.SalesChannel", models.PROTECT, related_name="orders")
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="orders"
    )
    email = models.CharField(max_length=254, blank=True)  # of a guest, or the customer's at placing
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.API)
    external_ref = models.CharField(max_length=80, blank=True)  # unique in its channel

    currency = models.CharField(max_length=3, default="USD")  # ISO 4217
    subtotal = MoneyField(default=ZERO)
    discount = MoneyField(default=ZERO)
    shipping_cost = MoneyField(default=ZERO)
    tax = MoneyField(default=ZERO)
    total = MoneyField(default=ZERO)

    # The address rows are pointers for clients; the snapshots are what holds.
    shipping_address_id = models.BigIntegerField(null=True, blank=True)
    billing_address_id = models.BigIntegerField(null=True, blank=True)
    shipping_address = models.JSONField(default=dict, blank=True)
    billing_address = models.JSONField(default=dict, blank=True)

    payment_method = models.CharField(max_length=40, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_brand = models.CharField(max_length=20, blank=True)
    simulate = models.CharField(
        max_length=40, blank=True
    )  # a fault asked of the simulated provider

    notes = models.TextField(blank=True)
    customer_notes = models.TextField(blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # end of the payment window
    stock_firm_at = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    shipped_at = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)  # by the sweeper

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(OrderStatus),
            models.UniqueConstraint(
                fields=("channel", "external_ref"),
                condition=~Q(external_ref=""),
                name="orders_order_external_ref_once",
            ),
            models.CheckConstraint(
                condition=Q(total__gt=_SUM - HALF_A_CENT, total__lt=_SUM + HALF_A_CENT),
                name="orders_order_total_adds_up",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="orders_order_total_gte_0"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="orders_order_created"),
            models.Index(fields=["status", "-id"], name="orders_order_status"),
            models.Index(fields=["payment_status", "-id"], name="orders_order_payment"),
            models.Index(fields=["fulfillment_status", "-id"], name="orders_order_fulfillment"),
            models.Index(fields=["customer", "-placed_at"], name="orders_order_customer"),
            models.Index(fields=["-placed_at"], name="orders_order_placed"),
            models.Index(fields=["-total", "-id"], name="orders_order_total"),
            models.Index(
                fields=["looked_at"],
                condition=Q(status__in=("pending", "confirmed", "processing", "shipped")),
                name="orders_order_open",
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.order_number}"

    @property
    def subject(self) -> str:
        """The address under which other domains keep what they do for this order."""
        return f"orders.order:{self.pk}"


class OrderItem(BaseModel):
    """So many of one thing in an order, named, priced and taxed as on the day of the sale."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    variant = models.ForeignKey(
        "products.Variant", models.PROTECT, null=True, blank=True, related_name="order_items"
    )  # empty for a service line: carriage, a manual charge
    sku = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField(default=0)
    fulfilled = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    unit_price = MoneyField()
    unit_cost = MoneyField(null=True, blank=True)
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=Decimal(0))
    tax = MoneyField(default=ZERO)
    discount = MoneyField(default=ZERO)
    total_price = MoneyField()  # quantity times unit price, before discount and tax
    weight_g = models.PositiveIntegerField(null=True, blank=True)  # of one
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="orders_item_quantity_gte_1"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("fulfilled") + F("cancelled")),
                name="orders_item_fulfilled_lte_quantity",
            ),
            models.CheckConstraint(
                condition=Q(fulfilled__gte=F("returned")), name="orders_item_returned_lte_fulfilled"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_price__gt=_LINE - HALF_A_CENT, total_price__lt=_LINE + HALF_A_CENT
                ),
                name="orders_item_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"
