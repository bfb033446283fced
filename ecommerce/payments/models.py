"""Payments as rows: what was asked of a provider, what it answered, and the totals that follow."""

from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from platform_site.common.errors import Refusal
from platform_site.common.models import BaseModel, StatefulModel, status_known
from platform_site.common.money import ZERO, MoneyField

# SQLite compares amounts as floating-point numbers: "at most" is "less than half a cent above".
HALF_A_CENT = Decimal("0.005")


class LedgerRowKept(Refusal):
    """Money rows are never deleted."""

    code = "ledger_row_kept"


class LedgerModel(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise LedgerRowKept(f"{self} belongs to a ledger and is kept.")


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


class RefundStatus(models.TextChoices):
    REQUESTED = "requested"  # above the limit: waits for a second person
    APPROVED = "approved"  # the provider is being asked
    DECLINED = "declined"
    DONE = "done"
    FAILED = "failed"


class Refund(StatefulModel):
    """A part of a captured payment that goes back to the customer, and who wanted it."""

    Status = RefundStatus
    TRANSITIONS = {
        Status.REQUESTED: {Status.APPROVED, Status.DECLINED},
        Status.APPROVED: {Status.DONE, Status.FAILED},
        Status.FAILED: {Status.APPROVED},
        Status.DONE: set(),
        Status.DECLINED: set(),
    }

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    status = models.CharField(max_length=20, choices=Status, default=Status.REQUESTED)
    amount = MoneyField()
    reason = models.CharField(max_length=500)
    idempotency_key = models.CharField(max_length=255)
    attempt = models.PositiveSmallIntegerField(default=1)  # each has its own key
    requested_by = models.CharField(max_length=220)
    decided_by = models.CharField(max_length=220, blank=True)  # empty: within the limit
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(RefundStatus),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_refund_amount_gt_0"),
            models.CheckConstraint(
                condition=~Q(requested_by="") & ~Q(decided_by=F("requested_by")),
                name="payments_refund_four_eyes",
            ),
            models.UniqueConstraint(
                fields=("payment", "idempotency_key"), name="payments_refund_key_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Refund {self.pk} of {self.payment_id and self.payment.order_number}"


class Kind(models.TextChoices):
    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Phase(models.TextChoices):
    REQUEST = "request"
    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"  # the answer was lost; the same key is asked again


OUTCOMES = (Phase.SUCCESS, Phase.FAILURE)


class PaymentEventSet(QuerySet["PaymentEvent"]):
    """Questions to the ledger."""

    def unanswered(self) -> Self:
        """Requests without a success or a failure yet."""
        outcome = PaymentEvent.objects.filter(
            payment=OuterRef("payment"),
            idempotency_key=OuterRef("idempotency_key"),
            phase__in=OUTCOMES,
        )
        return self.filter(~Exists(outcome), phase=Phase.REQUEST)

    def expected(self) -> Self:
        """Requests whose answer may come any moment: not answered, and not lost either."""
        lost = PaymentEvent.objects.filter(
            payment=OuterRef("payment"),
            idempotency_key=OuterRef("idempotency_key"),
            phase=Phase.UNKNOWN,
        )
        return self.unanswered().filter(~Exists(lost))


class PaymentEvent(LedgerModel):
    """One line of the money ledger: a request to the provider, or what became of it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="events")
    refund = models.ForeignKey(
        Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    phase = models.CharField(max_length=10, choices=Phase)
    amount = MoneyField()
    idempotency_key = models.CharField(max_length=300)
    provider_ref = models.CharField(max_length=80, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=220)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["PaymentEvent"]] = PaymentEventSet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="payments_paymentevent_amount_gt_0"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=Phase.values, kind__in=Kind.values),
                name="payments_paymentevent_words_known",
            ),
            models.UniqueConstraint(
                fields=("payment", "idempotency_key", "phase"),
                name="payments_paymentevent_phase_once",
            ),
            models.UniqueConstraint(
                fields=("payment", "idempotency_key"),
                condition=Q(phase__in=OUTCOMES),
                name="payments_paymentevent_one_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.phase} of payment {self.payment_id}"

    @property
    def provider_key(self) -> str:
        """The key that the provider sees: the same for every try of this request."""
        return f"payment-{self.payment_id}:{self.idempotency_key}"


class GatewayCall(models.Model):
    """What the simulated provider keeps: one call for each key, and the answer that it gave."""

    key = models.CharField(max_length=340, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=80)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
