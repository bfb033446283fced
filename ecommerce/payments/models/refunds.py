"""Refunds: who wanted money back, and who agreed."""

from django.db import models
from django.db.models import F, Q

from ecommerce.payments.models.payments import Payment
from platform_site.common.models import StatefulModel, status_known
from platform_site.common.money import MoneyField


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
