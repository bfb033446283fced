"""The spans of time that statistics accept."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from platform_site.common.api.serializers import Input

TIME_RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
}


class TimeRangeInput(Input):
    """`time_range`, also as `timeRange` and `range`; without it the statistics cover everything."""

    aliases = {"timeRange": "time_range", "range": "time_range"}

    time_range = serializers.ChoiceField(choices=list(TIME_RANGES), required=False)


def since(fields: dict[str, Any]) -> datetime | None:
    """Where the span that was asked for begins; None for ever."""
    span = TIME_RANGES.get(fields.get("time_range", ""))
    return timezone.now() - span if span else None
