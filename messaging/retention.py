"""How long events are kept."""

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


def events_trim(*, read_up_to: int) -> int:
    """Remove engine events older than 30 days and raise the trim horizon; returns how many.

    Those after the number `read_up_to` stay: the platform itself has not reacted to them yet.
    """
    removed = 0
    while chunk := _trim_chunk(read_up_to):
        removed += chunk
    return removed


@transaction.atomic
def _trim_chunk(read_up_to: int) -> int:
    log = event_log()
    kept = Q()
    for prefix in KEPT_FOR_GOOD:
        kept |= Q(type__startswith=prefix)
    before = timezone.now() - KEPT_FOR
    old = Event.objects.filter(~kept, seq__lte=read_up_to, created_at__lt=before)
    chunk = Event.objects.filter(
        pk__in=list(old.order_by("seq").values_list("pk", flat=True)[:CHUNK])
    )
    horizon = chunk.aggregate(last=Max("seq"))["last"]
    if horizon is None:
        return 0
    EventLog.objects.filter(pk=log.pk).update(trimmed_seq=Greatest(F("trimmed_seq"), horizon))
    return chunk.delete()[0]
