"""`security.*` events: who was let in, refused, given a key; read with `security:audit` only."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from messaging.events import emit


def record(name: str, /, *, actor: str, subject: models.Model | None = None, **facts: Any) -> None:
    """Write a security event, in the running transaction or in one of its own."""
    with transaction.atomic():
        emit(name, subject or _nobody(), actor=actor, **facts)


def _nobody() -> models.Model:
    return ContentType(pk=0)  # an event about no row: its address is `contenttype:0`
