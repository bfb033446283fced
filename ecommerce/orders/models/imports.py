"""Where imported orders came from, and what of a file did not become an order."""

from django.db import models

from ecommerce.orders.models.orders import Order
from platform_site.common.models import BaseModel, StatefulModel, status_known


class ImportStatus(models.TextChoices):
    """Whether a file was read to its end."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportRun(StatefulModel):
    """One reading of a sales file: what was found, what was new, what was left out and why."""

    Status = ImportStatus

    TRANSITIONS = {
        Status.RUNNING: {Status.DONE, Status.FAILED},
        Status.DONE: set(),
        Status.FAILED: set(),
    }

    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)
    channel = models.ForeignKey("products.SalesChannel", models.PROTECT, related_name="import_runs")
    dialect = models.JSONField(default=dict)  # as recognised: encoding, delimiter, decimal, dates
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    report = models.JSONField(default=dict)
    actor = models.CharField(max_length=220)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-pk",)
        constraints = [status_known(ImportStatus)]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.file_name}"


class ImportedDocument(BaseModel):
    """A document of an imported file that is no sale: kept as read, linked where it belongs."""

    class Kind(models.TextChoices):
        CREDIT_NOTE = "credit_note"
        ODD_LINES = "odd_lines"  # no price, or a negative quantity: reported, and nothing changes

    channel = models.ForeignKey(
        "products.SalesChannel", models.PROTECT, related_name="imported_documents"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    external_ref = models.CharField(max_length=80)
    dated_at = models.DateTimeField(null=True, blank=True)
    customer_ref = models.CharField(max_length=80, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    lines = models.JSONField(default=list)
    order = models.ForeignKey(
        Order, models.SET_NULL, null=True, blank=True, related_name="imported_documents"
    )  # the sale that it takes back, where exactly one fits

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("channel", "kind", "external_ref"), name="orders_importeddocument_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.external_ref}"


class ServiceCode(BaseModel):
    """A stock code that stands for a service, not for goods: carriage, a manual charge."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} ({self.name})"
