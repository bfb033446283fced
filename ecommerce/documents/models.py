"""Legal papers: what was said on the day it was issued, under a number without gaps."""

from typing import Any, Never

from django.db import models
from django.db.models import Q

from platform_site.common.models import BaseModel, StatefulModel, status_known


class NumberSeries(BaseModel):
    """The one counter from which documents of a kind take their numbers."""

    key = models.CharField(max_length=20, unique=True)  # INV, CN
    format = models.CharField(max_length=40)  # INV-{yyyy}-
    padding = models.PositiveSmallIntegerField(default=6)
    year = models.PositiveSmallIntegerField(default=0)  # a later one starts at 1 again
    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ("key",)
        verbose_name_plural = "number series"

    def __str__(self) -> str:
        return self.key


class DocumentStatus(models.TextChoices):
    ISSUED = "issued"  # has its number, the file is being made
    RENDERED = "rendered"  # the file is there
    CREDITED = "credited"  # taken back by a credit note


class Document(StatefulModel):
    """An issued paper; all that it says stands in its snapshot, which never changes."""

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note"

    Status = DocumentStatus

    TRANSITIONS = {
        Status.ISSUED: {Status.RENDERED, Status.CREDITED},
        Status.RENDERED: {Status.CREDITED},
        Status.CREDITED: set(),
    }

    kind = models.CharField(max_length=20, choices=Kind)
    number = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ISSUED)
    subject = models.CharField(max_length=80)  # orders.fulfillment:9
    order_number = models.CharField(max_length=40, db_index=True)
    snapshot = models.JSONField()
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=200, blank=True)  # inside the folder of documents
    issued_at = models.DateTimeField()
    refers = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="credits"
    )

    class Meta:
        ordering = ("-pk",)
        constraints = [
            status_known(DocumentStatus),
            models.UniqueConstraint(
                fields=("kind", "subject"), name="documents_document_one_of_a_kind"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="documents_document_has_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Issued papers stay. Raises TypeError always."""
        raise TypeError("An issued document is never deleted; issue a credit note.")
