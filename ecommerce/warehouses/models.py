"""Where goods stand, and the work of fetching and packing them. Warehouses speak of SKUs."""

from django.db import models
from django.db.models import F, Q

from platform_site.common.models import BaseModel, StatefulModel, status_known


class Warehouse(BaseModel):
    """A building with stock in it. On an `auto` floor the agent picks and packs by itself."""

    class Automation(models.TextChoices):
        MANUAL = "manual"
        AUTO = "auto"

    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=20, unique=True)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=80, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    manager_name = models.CharField(max_length=120, blank=True)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    automation = models.CharField(max_length=10, choices=Automation, default=Automation.MANUAL)
    is_active = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name

    def snapshot(self) -> dict[str, str]:
        """Its address in the form that parcels and documents keep."""
        return {
            "name": self.name,
            "company": "",
            "line1": self.address,
            "line2": "",
            "city": self.city,
            "state": self.state,
            "postal_code": self.postal_code,
            "country": self.country,
            "phone": self.phone,
            "email": self.email,
        }


class PickRequestStatus(models.TextChoices):
    OPEN = "open"
    PLANNED = "planned"  # on somebody's list
    PICKED = "picked"  # everything was found
    SHORT = "short"  # something was missing; what was found is in the lines
    PACKED = "packed"
    CANCELLED = "cancelled"


class PickRequest(StatefulModel):
    """The wish of a fulfillment that its goods be fetched and packed in one warehouse."""

    Status = PickRequestStatus

    TRANSITIONS = {
        Status.OPEN: {Status.PLANNED, Status.CANCELLED},
        Status.PLANNED: {Status.PICKED, Status.SHORT, Status.CANCELLED},
        Status.PICKED: {Status.PACKED, Status.CANCELLED},
        Status.SHORT: {Status.PACKED, Status.CANCELLED},
        Status.PACKED: set(),
        Status.CANCELLED: set(),
    }

    subject = models.CharField(max_length=80, unique=True)  # orders.fulfillment:9
    order_number = models.CharField(max_length=40, db_index=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="picks")
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    picked_at = models.DateTimeField(null=True, editable=False)
    packed_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)  # also of a packed one
    put_back_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-pk",)
        constraints = [status_known(PickRequestStatus)]
        indexes = [models.Index(fields=["status", "id"], name="warehouses_pick_status")]

    def __str__(self) -> str:
        return f"Pick {self.pk} for {self.order_number}"


class PickLine(BaseModel):
    """So many of one SKU to fetch, and how many were found."""

    request = models.ForeignKey(PickRequest, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=64)
    quantity = models.PositiveIntegerField()
    picked = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("request", "sku"), name="warehouses_pickline_sku_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="warehouses_pickline_quantity_gte_1"
            ),
            models.CheckConstraint(
                condition=Q(picked__lte=F("quantity")), name="warehouses_pickline_picked_lte"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Pack(BaseModel):
    """The parcel that was made of a pick."""

    request = models.OneToOneField(PickRequest, on_delete=models.PROTECT, related_name="pack")
    weight_g = models.PositiveIntegerField(null=True, blank=True)  # null: nobody weighed it

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Parcel of {self.request}"
