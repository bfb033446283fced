"""Stock as rows: how much lies where, who has it promised, and every movement that led there."""

from django.db import models
from django.db.models import F, Q

from ecommerce.products.models import Variant
from ecommerce.warehouses.models import Warehouse
from platform_site.common.errors import Refusal
from platform_site.common.models import BaseModel, StatefulModel, status_known


class MovementKept(Refusal):
    """Stock movements are never deleted."""

    code = "ledger_row_kept"


class StockLevel(BaseModel):
    """So many of one variant in one warehouse, and how many of them are promised."""

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="levels")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="levels")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    incoming = models.PositiveIntegerField(default=0)
    safety_stock = models.PositiveIntegerField(default=0)
    reorder_point = models.PositiveIntegerField(default=0)
    reorder_quantity = models.PositiveIntegerField(default=0)
    backorder_limit = models.PositiveIntegerField(default=0)  # units that may be promised unseen
    is_low = models.BooleanField(default=False)  # said so already; again only after it was above
    last_restock_at = models.DateTimeField(null=True, blank=True)
    last_count_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("variant", "warehouse"), name="inventory_stocklevel_once"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0) & Q(reserved__gte=0),
                name="inventory_stocklevel_gte_0",
            ),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("on_hand") + F("backorder_limit")),
                name="inventory_stocklevel_reserved_covered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.warehouse}"

    @property
    def available(self) -> int:
        """What may still be sold."""
        return self.on_hand - self.reserved

    @property
    def is_below_reorder_point(self) -> bool:
        """Few enough to buy more; a level without a reorder point never is."""
        return self.reorder_point > 0 and self.available <= self.reorder_point


class ReservationStatus(models.TextChoices):
    ACTIVE = "active"
    CONSUMED = "consumed"  # shipped
    RELEASED = "released"
    EXPIRED = "expired"


class Reservation(StatefulModel):
    """Units of one level that are promised to a subject, for a while or until they ship."""

    Status = ReservationStatus
    TRANSITIONS = {
        Status.ACTIVE: {Status.CONSUMED, Status.RELEASED, Status.EXPIRED},
        Status.CONSUMED: set(),
        Status.RELEASED: set(),
        Status.EXPIRED: set(),
    }

    subject = models.CharField(max_length=120, db_index=True)  # such as orders.order:7
    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    expires_at = models.DateTimeField(null=True, blank=True)  # empty: firm

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(ReservationStatus),
            models.CheckConstraint(
                condition=Q(quantity__gte=1) & Q(shipped__lte=F("quantity")),
                name="inventory_reservation_quantities",
            ),
            models.UniqueConstraint(
                fields=("subject", "level"),
                condition=Q(status=ReservationStatus.ACTIVE),
                name="inventory_reservation_one_active",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(status=ReservationStatus.ACTIVE),
                name="inventory_reservation_expiry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} reserved for {self.subject}"

    @property
    def held(self) -> int:
        """What of it still counts as reserved while it is active."""
        return self.quantity - self.shipped


class MovementKind(models.TextChoices):
    RECEIVE = "receive"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    RETURN = "return"
    ADJUST = "adjust"
    COUNT = "count"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"


class StockMovement(models.Model):
    """One line of the stock ledger: what a level gained or lost, on the shelf and in promises."""

    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=20, choices=MovementKind)
    quantity = models.IntegerField()  # change of on_hand
    reserved_change = models.IntegerField(default=0)
    balance_after = models.IntegerField()  # on_hand
    reserved_after = models.IntegerField()
    reason = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=120, blank=True)
    source = models.CharField(max_length=200, db_index=True)  # what caused it, over all its lines
    source_key = models.CharField(max_length=240, unique=True)
    actor = models.CharField(max_length=220)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=MovementKind.values), name="inventory_movement_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(quantity=0, reserved_change=0), name="inventory_movement_moves"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+d} at level {self.level_id}"

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise MovementKept(f"{self} belongs to the stock ledger and is kept.")
