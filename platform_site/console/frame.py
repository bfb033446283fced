"""What stands on every page of the console."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def every_page(request: HttpRequest) -> dict[str, Any]:
    """Open mode is said on each page, the login included."""
    return {"open_api": settings.OPEN_API}


def styles(request: HttpRequest) -> str:
    return static("console/console.css")


def favicon(request: HttpRequest) -> str:
    return static("console/favicon.svg")


def environment(request: HttpRequest) -> list[str] | None:
    """The ribbon beside the person's name: what is not real, or reachable by others."""
    if settings.DEMO:
        return ["Simulated shoppers", "warning"]
    return ["Exposed", "danger"] if settings.EXPOSED else ["Local", "info"]
