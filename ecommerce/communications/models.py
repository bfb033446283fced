"""What we tell customers: the words, and each message on its way."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from platform_site.common.models import BaseModel, StatefulModel, status_known


class MessageTemplate(BaseModel):
    """The words of a message in one language; a new wording is a new row with the next number."""

    code = models.SlugField(max_length=60)
    locale = models.CharField(max_length=12, default="en")
    number = models.PositiveIntegerField(default=1)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    variables = models.JSONField(default=list)  # the names that its context must hold
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("code", "locale", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=("code", "locale", "number"), name="communications_template_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.locale}, {self.number})"


class OutboundMessageStatus(models.TextChoices):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # given up until somebody sends it again
    SUPPRESSED = "suppressed"  # there is no contact to send it to


class OutboundMessage(StatefulModel):
    """One message to one contact, written in the business transaction and sent after it."""

    Status = OutboundMessageStatus

    TRANSITIONS = {
        Status.QUEUED: {Status.SENDING},
        Status.SENDING: {Status.SENT, Status.QUEUED, Status.FAILED},
        Status.FAILED: {Status.QUEUED},
        Status.SENT: set(),
        Status.SUPPRESSED: set(),
    }

    template = models.ForeignKey(MessageTemplate, on_delete=models.PROTECT, related_name="messages")
    to = models.CharField(max_length=254, blank=True)
    context = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    about = models.CharField(max_length=80, blank=True)  # orders.order:7
    order_number = models.CharField(max_length=40, blank=True, db_index=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED)
    idempotency_key = models.CharField(max_length=200, unique=True)
    attempts = models.PositiveIntegerField(default=0)
    provider_id = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-pk",)
        constraints = [status_known(OutboundMessageStatus)]

    def __str__(self) -> str:
        return f"Message {self.pk} ({self.template.code})"
