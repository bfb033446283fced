"""Shipments for tests, carried by the carrier of the first run."""

from decimal import Decimal
from typing import Any

from ecommerce.carriers import first_run
from ecommerce.carriers.models import Shipment
from ecommerce.carriers.services import shipment_request

LONDON = {"name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London"} | {
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
WAREHOUSE = {"name": "Main", "city": "London", "postal_code": "EC1A 1BB", "country": "GB"}


def make_shipment(subject: str = "orders.fulfillment:9", **more: Any) -> Shipment:
    """A parcel of two kilograms to London, asked for."""
    first_run.ensure(actor="test")
    fields = {
        "order_number": "ORD-000007",
        "to_address": LONDON,
        "from_address": WAREHOUSE,
        "weight_g": 2000,
        "value": Decimal("30.00"),
        "currency": "GBP",
        **more,
    }
    return shipment_request(subject=subject, **fields, actor="test")
