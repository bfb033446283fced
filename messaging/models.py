"""The event log: audit, outbox and source of all live streams in one table."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q


class Event(models.Model):
    """One thing that happened, written in the transaction in which it happened.

    Born without a number; the sequencer gives committed rows their dense `seq`.
    """

    seq = models.BigIntegerField(null=True, unique=True, editable=False)
    epoch = models.CharField(max_length=12, blank=True, editable=False)
    type = models.CharField(max_length=80)
    entity_type = models.CharField(max_length=40)
    entity_id = models.CharField(max_length=200)
    entity_version = models.PositiveIntegerField(default=0)
    actor = models.CharField(max_length=220)
    trace_id = models.CharField(max_length=40, blank=True)
    causation_id = models.CharField(max_length=220, blank=True)
    causation_depth = models.PositiveSmallIntegerField(default=0)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["id"], condition=Q(seq=None), name="messaging_event_unnumbered"),
            models.Index(fields=["entity_type", "entity_id", "id"], name="messaging_event_entity"),
            models.Index(fields=["type", "id"], name="messaging_event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.entity_type}:{self.entity_id}"


class EventLog(models.Model):
    """The one head of the log: its epoch, the last number given, the last number ever removed.

    The row is made on first use. Truncating the tables therefore starts a new epoch, in which no
    cursor of the old one means anything.
    """

    epoch = models.CharField(max_length=12, editable=False)
    head_seq = models.BigIntegerField(default=0, editable=False)
    trimmed_seq = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="messaging_eventlog_one_row"),
            models.CheckConstraint(
                condition=Q(trimmed_seq__lte=models.F("head_seq")),
                name="messaging_eventlog_trimmed_below_head",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}:{self.head_seq}"
