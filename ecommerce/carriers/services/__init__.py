"""Every write to carriers, rates, shipments and their tracking."""

from ecommerce.carriers.services.labels import (
    attempt_close,
    attempt_open,
    shipment_fail,
    shipment_label,
    shipment_rate,
)
from ecommerce.carriers.services.rates import NoService, Quote, shipping_quote
from ecommerce.carriers.services.shipments import (
    shipment_release,
    shipment_request,
    shipment_retry,
    shipment_void,
)
from ecommerce.carriers.services.tariffs import carrier_create, rate_set, zone_create
from ecommerce.carriers.services.tracking import tracking_record

__all__ = [
    "NoService",
    "Quote",
    "attempt_close",
    "attempt_open",
    "carrier_create",
    "rate_set",
    "shipment_fail",
    "shipment_label",
    "shipment_rate",
    "shipment_release",
    "shipment_request",
    "shipment_retry",
    "shipment_void",
    "shipping_quote",
    "tracking_record",
    "zone_create",
]
