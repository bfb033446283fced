"""The merchant and the channel that a fresh installation starts with."""

from django.db import transaction

from ecommerce.products.models import Merchant, SalesChannel
from ecommerce.products.services import channel_create, merchant_create

ADDRESS = {
    "name": "",
    "company": "Fleetdesk Trading Ltd",
    "line1": "1 Harbour Street",
    "line2": "",
    "city": "London",
    "state": "",
    "postal_code": "EC1A 1BB",
    "country": "GB",
    "phone": "",
    "email": "sales@fleetdesk.example",
}


@transaction.atomic
def ensure(*, actor: str) -> None:
    """One merchant and the channel `web` in pounds, where there are none yet."""
    if not Merchant.objects.exists():
        merchant_create(
            code="main",
            business_name="Fleetdesk Trading Ltd",
            email="sales@fleetdesk.example",
            address=ADDRESS,
            actor=actor,
        )
    if not SalesChannel.objects.exists():
        channel_create(code="web", name="Web shop", currency="GBP", locale="en-GB", actor=actor)
