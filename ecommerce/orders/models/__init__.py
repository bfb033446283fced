"""Orders, the parcels they leave in, what holds them up, and where imported ones came from."""

from ecommerce.orders.models.fulfillments import Fulfillment, FulfillmentItem
from ecommerce.orders.models.imports import ImportedDocument, ImportRun, ServiceCode
from ecommerce.orders.models.orders import Order, OrderItem
from ecommerce.orders.models.remarks import OrderHold, OrderNote

__all__ = [
    "Fulfillment",
    "FulfillmentItem",
    "ImportRun",
    "ImportedDocument",
    "Order",
    "OrderHold",
    "OrderItem",
    "OrderNote",
    "ServiceCode",
]
