"""What people and agents say about an order: holds that stop it and notes that do not."""

from django.db import models
from django.db.models import Q

from ecommerce.orders.models.orders import Order
from platform_site.common.models import BaseModel


class OrderHold(BaseModel):
    """A reason why an order may not go on: while it is active nothing is confirmed or shipped."""

    class Reason(models.TextChoices):
        FRAUD = "fraud"
        ADDRESS = "address"
        PAYMENT = "payment"
        STOCK = "stock"
        CARRIER = "carrier"
        UNMAPPED = "unmapped"
        MANUAL = "manual"

    order = models.ForeignKey(Order, models.CASCADE, related_name="holds")
    reason = models.CharField(max_length=10, choices=Reason)
    note = models.CharField(max_length=500, blank=True)
    owner = models.CharField(max_length=220, blank=True)  # the person who looks into it
    placed_by = models.CharField(max_length=220)
    released_by = models.CharField(max_length=220, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("order", "reason"),
                condition=Q(released_at=None),
                name="orders_hold_one_active_per_reason",
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(released_at=None), name="orders_hold_active"
            )
        ]

    def __str__(self) -> str:
        return f"Hold {self.reason} of {self.order}"

    @property
    def is_active(self) -> bool:
        """Whether it still stops the order."""
        return self.released_at is None


class OrderNote(BaseModel):
    """A remark that somebody wrote on an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="remarks")
    text = models.TextField()
    author = models.CharField(max_length=220)
    visible_to_customer = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"Note on {self.order}"
