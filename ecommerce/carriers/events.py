"""What can happen to parcels; every event carries subject and order_number."""

SHIPMENT_REQUESTED = "shipment.requested"
SHIPMENT_RATED = "shipment.rated"  # service, cost, currency
SHIPMENT_LABELLED = "shipment.labelled"  # tracking_number
SHIPMENT_LABEL_FAILED = "shipment.label_failed"  # reason
SHIPMENT_RELEASED = "shipment.released"
SHIPMENT_IN_TRANSIT = "shipment.in_transit"  # tracking_number
SHIPMENT_OUT_FOR_DELIVERY = "shipment.out_for_delivery"
SHIPMENT_DELIVERED = "shipment.delivered"  # tracking_number
SHIPMENT_DELAYED = "shipment.delayed"  # tracking_number: the parcel is held up
SHIPMENT_FAILED = "shipment.failed"  # outcome: returned or lost
SHIPMENT_VOIDED = "shipment.voided"  # tracking_number, empty if no label was bought
CARRIER_CREATED = "carrier.created"  # code
ZONE_CREATED = "zone.created"  # code
RATE_SET = "rate.set"  # service, zone, measure, up_to, amount
