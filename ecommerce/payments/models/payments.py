"""Payments: the totals of their ledger, and where they stand."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import ZERO, MoneyField

# SQLite compares amounts as floating-point numbers: "at most" is "less than half a cent above".
HALF_A_CENT = Decimal("0.005")


class PaymentMethod(BaseModel):
    """A way to pay that customers may choose, and the provider that carries it out."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    enabled = models.BooleanField(default=True)
    provider = models.CharField(max_length=40, default="simulator")
    # Refunds of one payment that add up to more than this need a second person; empty: no limit.
    refund_limit = MoneyField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name


class PaymentStatus(models.TextChoices):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"  # the customer has to confirm at the provider
    AUTHORIZED = "authorized"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"


# From here a payment may still bring money in: an order has at most one of these.
OPEN = (
    PaymentStatus.PENDING,
    PaymentStatus.REQUIRES_ACTION,
    PaymentStatus.AUTHORIZED,
    PaymentStatus.PARTIALLY_CAPTURED,
)


class Payment(StatefulModel):
    """Money for one order by one method: the totals of its ledger and where they stand.

    `*_pending` is what is asked of the provider and not answered yet. It counts against the limits,
    so that two requests at once never promise the same money twice.
    """

    Status = PaymentStatus
    OPEN = OPEN
    TRANSITIONS = {
        Status.PENDING: {
            Status.REQUIRES_ACTION,
            Status.AUTHORIZED,
            Status.FAILED,
            Status.CANCELLED,
        },
        Status.REQUIRES_ACTION: {Status.AUTHORIZED, Status.FAILED, Status.CANCELLED},
        Status.AUTHORIZED: {
            Status.PARTIALLY_CAPTURED,
            Status.CAPTURED,
            Status.VOIDED,
            Status.EXPIRED,
        },
        Status.PARTIALLY_CAPTURED: {
            Status.CAPTURED,
            Status.PARTIALLY_REFUNDED,
            Status.REFUNDED,
        },
        Status.CAPTURED: {Status.PARTIALLY_REFUNDED, Status.REFUNDED},
        Status.PARTIALLY_REFUNDED: {Status.REFUNDED},
        Status.REFUNDED: set(),
        Status.VOIDED: set(),
        Status.EXPIRED: set(),
        Status.FAILED: set(),
        Status.CANCELLED: set(),
    }

    order_number = models.CharField(max_length=40, db_index=True)
    customer_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="payments")
    method_name = models.CharField(max_length=80)  # as it was called then
    provider = models.CharField(max_length=40)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    currency = models.CharField(max_length=3)  # ISO 4217
    amount = MoneyField()
    authorized = MoneyField(default=ZERO)
    captured = MoneyField(default=ZERO)
    capture_pending = MoneyField(default=ZERO)
    voided = MoneyField(default=ZERO)
    void_pending = MoneyField(default=ZERO)
    refunded = MoneyField(default=ZERO)
    refund_pending = MoneyField(default=ZERO)
    captures_at_once = models.BooleanField(default=False)
    unwound_at = models.DateTimeField(null=True, blank=True)  # whatever still comes in goes back
    unwind_reason = models.CharField(max_length=200, blank=True)
    unknown_since = models.DateTimeField(null=True, blank=True)  # an answer was lost
    provider_ref = models.CharField(max_length=80, blank=True)
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=200, blank=True)
    simulate = models.CharField(max_length=80, blank=True)  # faults asked of the simulator
    idempotency_key = models.CharField(max_length=255, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(PaymentStatus),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_payment_amount_gt_0"),
            models.CheckConstraint(
                condition=Q(authorized__lt=F("amount") + HALF_A_CENT)
                & Q(captured__gte=0, capture_pending__gte=0, voided__gte=0, void_pending__gte=0)
                & Q(refunded__gte=0, refund_pending__gte=0),
                name="payments_payment_totals_in_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    authorized__gt=F("captured")
                    + F("capture_pending")
                    + F("voided")
                    + F("void_pending")
                    - HALF_A_CENT
                ),
                name="payments_payment_captured_lte_authorized",
            ),
            models.CheckConstraint(
                condition=Q(captured__gt=F("refunded") + F("refund_pending") - HALF_A_CENT),
                name="payments_payment_refunded_lte_captured",
            ),
            models.UniqueConstraint(
                fields=("order_number",),
                condition=Q(status__in=OPEN),
                name="payments_payment_one_open_per_order",
            ),
            models.UniqueConstraint(
                fields=("idempotency_key",),
                condition=~Q(idempotency_key=""),
                name="payments_payment_key_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} of {self.order_number}"

    @property
    def uncaptured(self) -> Decimal:
        """What may still be captured or voided."""
        return (
            self.authorized - self.captured - self.capture_pending - self.voided - self.void_pending
        )

    @property
    def refundable(self) -> Decimal:
        """What may still be refunded."""
        return self.captured - self.refunded - self.refund_pending
