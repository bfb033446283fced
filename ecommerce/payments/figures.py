"""Figures about payments, counted by the database."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from ecommerce.payments.models import Payment
from ecommerce.payments.words import WORDS
from platform_site.common.json import Number, instant
from platform_site.common.money import ZERO, rounded


def payment_stats(*, since: datetime | None) -> dict[str, Any]:
    """Totals and distributions of the payments made since then, or ever."""
    rows = Payment.objects.order_by()
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    sums = rows.aggregate(
        total=Count("pk"),
        completed=Count("pk", filter=Q(captured__gt=0)),
        revenue=Sum("captured"),
        refunded=Sum("refunded"),
    )
    revenue, refunded = rounded(sums["revenue"] or ZERO), rounded(sums["refunded"] or ZERO)
    ended = rows.exclude(status__in=(Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION))
    tried = ended.exclude(status=Payment.Status.CANCELLED).count()
    failed = rows.filter(status=Payment.Status.FAILED).count()
    return {
        "total_payments": sums["total"],
        "completed_payments": sums["completed"],
        "total_revenue": Number(revenue),
        "total_refunded": Number(refunded),
        "net_revenue": Number(revenue - refunded),
        "amounts": {
            "total_revenue": str(revenue),
            "total_refunded": str(refunded),
            "net_revenue": str(revenue - refunded),
        },
        "success_rate": round((tried - failed) / tried * 100, 2) if tried else None,
        "payment_method_distribution": dict(rows.values_list("method__code").annotate(Count("pk"))),
        "status_distribution": _by_word(dict(rows.values_list("status").annotate(Count("pk")))),
        "as_of": instant(timezone.now()),
    }


def _by_word(counts: dict[str, int]) -> dict[str, int]:
    words: dict[str, int] = {}
    for status, count in counts.items():
        words[WORDS[status]] = words.get(WORDS[status], 0) + count
    return words
