"""How long events are kept (engine.md 9.3)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from messaging.models import Event, EventLog
from messaging.sequencer import event_log

KEPT_FOR = timedelta(days=30)
# Audit: events of these rows stay for as long as the rows do.
KEPT_FOR_GOOD = (
    "security.",
    "order.",
    "payment.",
    "refund.",
    "stock.",
    "reservation.",
    "document.",
)
CHUNK = 1000


def events_trim() -> int:
    """Remove engine events older than 30 days and raise the trim horizon; returns how many."""
    removed = 0
    while chunk := _trim_chunk():
        removed += chunk
    return removed


@transaction.atomic
def _trim_chunk() -> int:
    log = event_log()
    kept = Q()
    for prefix in KEPT_FOR_GOOD:
        kept |= Q(type__startswith=prefix)
    old = Event.objects.filter(~kept, created_at__lt=timezone.now() - KEPT_FOR).exclude(seq=None)
    chunk = Event.objects.filter(
        pk__in=list(old.order_by("seq").values_list("pk", flat=True)[:CHUNK])
    )
    horizon = chunk.aggregate(last=Max("seq"))["last"]
    if horizon is None:
        return 0
    EventLog.objects.filter(pk=log.pk).update(trimmed_seq=Greatest(F("trimmed_seq"), horizon))
    return chunk.delete()[0]
