"""The ledger: what was asked of a provider, and what it answered."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from ecommerce.payments.models.payments import Payment
from ecommerce.payments.models.refunds import Refund
from platform_site.common.errors import Refusal
from platform_site.common.money import MoneyField


class LedgerRowKept(Refusal):
    """Money rows are never deleted."""

    code = "ledger_row_kept"


class LedgerModel(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise LedgerRowKept(f"{self} belongs to a ledger and is kept.")


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
