"""The counters of a fresh installation."""

from django.db import transaction

from ecommerce.documents.services import series_ensure


@transaction.atomic
def ensure(*, actor: str) -> None:
    """A series for invoices and one for credit notes."""
    series_ensure(key="INV", number_format="INV-{yyyy}-", actor=actor)
    series_ensure(key="CN", number_format="CN-{yyyy}-", actor=actor)
