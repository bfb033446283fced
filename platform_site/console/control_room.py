"""The control room: the fleet, the queue and today's business on one page."""

from typing import Any

from django.http import HttpRequest


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the console's first page."""
    return context
