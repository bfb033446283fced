"""Parcels: what of an order leaves which warehouse together."""

from django.db import models
from django.db.models import Q

from ecommerce.orders.models.orders import Order, OrderItem
from platform_site.common.models import BaseModel, StatefulModel, status_known


class FulfillmentStatus(models.TextChoices):
    """Where a parcel stands."""

    PENDING = "pending"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    FAILED = "failed"  # lost, or back at the sender
    CANCELLED = "cancelled"


class Fulfillment(StatefulModel):
    """The part of an order that one warehouse packs and one carrier delivers."""

    Status = FulfillmentStatus

    TRANSITIONS = {
        Status.PENDING: {Status.PICKING, Status.PACKED, Status.CANCELLED},
        Status.PICKING: {Status.PACKED, Status.CANCELLED},
        Status.PACKED: {Status.SHIPPED, Status.CANCELLED},
        Status.SHIPPED: {Status.DELIVERED, Status.FAILED},
        Status.DELIVERED: set(),
        Status.FAILED: set(),
        Status.CANCELLED: set(),
    }
    GONE = (Status.SHIPPED, Status.DELIVERED, Status.FAILED)

    order = models.ForeignKey(Order, models.CASCADE, related_name="fulfillments")
    warehouse = models.ForeignKey(
        "warehouses.Warehouse", models.PROTECT, related_name="fulfillments"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    weight_g = models.PositiveIntegerField(null=True, blank=True)  # as packed
    tracking_number = models.CharField(max_length=80, blank=True)
    packed_at = models.DateTimeField(null=True, blank=True, editable=False)
    shipped_at = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("pk",)
        constraints = [
            status_known(FulfillmentStatus),
            models.UniqueConstraint(
                fields=("order", "warehouse"),
                condition=Q(status__in=("pending", "picking")),
                name="orders_fulfillment_one_open_per_warehouse",
            ),
        ]

    def __str__(self) -> str:
        return f"Parcel {self.pk} of {self.order}"

    @property
    def subject(self) -> str:
        """The address under which warehouses and carriers keep their work for this parcel."""
        return f"orders.fulfillment:{self.pk}"


class FulfillmentItem(BaseModel):
    """So many of one order line in a parcel."""

    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="lines")
    item = models.ForeignKey(OrderItem, models.CASCADE, related_name="parcel_lines")
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("fulfillment", "item"), name="orders_fulfillmentitem_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="orders_fulfillmentitem_quantity_gte_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.item.sku} in {self.fulfillment}"
