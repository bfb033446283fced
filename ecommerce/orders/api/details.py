"""What the answer about one order holds beside the order: lines, parcels, payments, history."""

from typing import Any

from django.db.models import Q

from ecommerce.carriers.models import Shipment
from ecommerce.communications.models import OutboundMessage
from ecommerce.customers.models import Customer
from ecommerce.documents.models import Document
from ecommerce.fraud.models import FraudCase, RiskAssessment
from ecommerce.orders.api.serializers import (
    FulfillmentSerializer,
    HoldSerializer,
    OrderItemSerializer,
    OrderSerializer,
)
from ecommerce.orders.models import Order
from ecommerce.orders.services.situation import Situation
from ecommerce.orders.services.waiting import waits_for
from ecommerce.payments.models import Payment
from ecommerce.warehouses.models import PickRequest
from messaging.models import Event
from platform_site.common import json
from platform_site.common.personal import masked_address

MAX_EVENTS = 500


class OrderDetailSerializer(OrderSerializer):
    """An order with everything that hangs on it."""

    def to_representation(self, order: Order) -> dict[str, Any]:
        row = super().to_representation(order)
        items = list(order.items.select_related("variant__product").order_by("pk"))
        row["items"] = [self._item(item) for item in items]
        row["items_count"] = len(items)
        row["warnings"] = order.metadata.get("warnings", [])
        row["shipping_address"] = self._address(order.shipping_address)
        row["billing_address"] = self._address(order.billing_address)
        row["payments"] = [payment_row(payment) for payment in _payments(order)]
        row["shipments"] = [shipment_row(shipment) for shipment in _shipments(order)]
        parcels = order.fulfillments.select_related("warehouse")
        row["fulfillments"] = FulfillmentSerializer(
            parcels.prefetch_related("lines__item"), many=True
        ).data
        row["holds"] = HoldSerializer(order.holds.filter(released_at=None), many=True).data
        return row

    def _item(self, item: Any) -> dict[str, Any]:
        row: dict[str, Any] = OrderItemSerializer(item).data
        if item.variant is not None:
            product = item.variant.product
            images = product.images
            name = product.name
            row["product"] = {
                "id": product.pk,
                "name": name,
                "sku": item.variant.sku,
                "images": images,
            }
        return row

    def _customer(self, order: Order) -> dict[str, Any]:
        row = super()._customer(order)
        customer: Customer | None = order.customer
        if customer is not None:
            row["user_id"] = customer.user_id
            row["phone"] = self.personal(customer.phone)
        return row

    def _address(self, address: dict[str, Any]) -> dict[str, Any]:
        return address if self.context.get("personal") else masked_address(address)


def payment_row(payment: Payment) -> dict[str, Any]:
    """A payment as the order shows it."""
    return {
        "id": payment.pk,
        "status": payment.status,
        "payment_method": payment.method_name,
        "amount": json.Number(payment.amount),
        "authorized": json.Number(payment.authorized),
        "captured": json.Number(payment.captured),
        "refunded": json.Number(payment.refunded),
        "currency": payment.currency,
        "error_message": payment.error,
        "created_at": json.instant(payment.created_at),
    }


def shipment_row(shipment: Shipment) -> dict[str, Any]:
    """A shipment with its scans, in the order in which they happened."""
    return {
        "id": shipment.pk,
        "tracking_number": shipment.tracking_number,
        "carrier": shipment.carrier.name if shipment.carrier else None,
        "status": shipment.status,
        "tracking_url": shipment.tracking_url,
        "estimated_delivery_date": json.instant(shipment.expected_at),
        "actual_delivery_date": json.instant(shipment.delivered_at),
        "events": [
            {
                "code": event.code,
                "at": json.instant(event.at),
                "description": event.description,
                "location": event.location,
            }
            for event in shipment.events.all()
        ],
    }


def _payments(order: Order) -> list[Payment]:
    return list(Payment.objects.filter(order_number=order.order_number).order_by("pk"))


def _shipments(order: Order) -> list[Shipment]:
    rows = Shipment.objects.filter(order_number=order.order_number).order_by("pk")
    return list(rows.select_related("service__carrier").prefetch_related("events"))


def tracking(order: Order) -> dict[str, Any]:
    """`GET …/tracking`."""
    return {"order_id": order.pk, "shipments": [shipment_row(row) for row in _shipments(order)]}


def timeline(order: Order) -> list[dict[str, Any]]:
    """Everything that the log holds about the order and the rows around it, oldest first."""
    about = Q(entity_type="order", entity_id=str(order.pk))
    for name, keys in _around(order).items():
        if keys:
            about |= Q(entity_type=name, entity_id__in=[str(key) for key in keys])
    return [
        {
            "id": event.pk,
            "type": event.type,
            "actor": event.actor,
            "at": json.instant(event.created_at),
            "data": event.data,
        }
        for event in Event.objects.filter(about).order_by("pk")[:MAX_EVENTS]
    ]


def _around(order: Order) -> dict[str, list[int]]:
    """The rows of other domains that speak about the order, by their name in the log."""
    number = order.order_number
    parcels = list(order.fulfillments.values_list("pk", flat=True))
    models = (Payment, Shipment, PickRequest, RiskAssessment, FraudCase, Document, OutboundMessage)
    rows: dict[str, list[int]] = {"fulfillment": parcels}
    for model in models:
        found = model._default_manager.filter(order_number=number).values_list("pk", flat=True)
        rows[str(model._meta.model_name)] = list(found)
    return rows


def explained(order: Order) -> dict[str, Any]:
    """`GET …/explain`: where the order stands and what it waits for."""
    now = Situation(order)
    return {
        "order_id": order.pk,
        "order_number": order.order_number,
        "state": order.status,
        "payment_state": order.payment_status,
        "fulfillment_state": order.fulfillment_status,
        "waits_for": waits_for(now),
        "holds": HoldSerializer(now.holds, many=True).data,
        "amount_due": str(now.due),
        "currency": order.currency,
    }
