"""Orders as clients of the Commerce API know them."""

from typing import Any

from rest_framework import serializers

from ecommerce.orders.models import Fulfillment, Order, OrderHold, OrderItem, OrderNote
from platform_site.common import json
from platform_site.common.api import CommerceSerializer
from platform_site.common.personal import masked

STATUS_WORDS = {Order.Status.EXPIRED: "cancelled"}
PAYMENT_WORDS = {Order.Payment.UNPAID: "pending", Order.Payment.AUTHORIZED: "pending"}
ENDED_BY_MONEY = (Order.Status.CANCELLED, Order.Status.EXPIRED)


def status_word(order: Order) -> str:
    """The client's word for where the order stands."""
    if order.payment_status == Order.Payment.REFUNDED and order.status not in ENDED_BY_MONEY:
        return "refunded"
    return STATUS_WORDS.get(Order.Status(order.status), order.status)


def payment_word(order: Order) -> str:
    """The client's word for what is paid."""
    return PAYMENT_WORDS.get(Order.Payment(order.payment_status), order.payment_status)


class OrderItemSerializer(CommerceSerializer):
    """A line, at the price it was sold for."""

    class Meta:
        model = OrderItem
        fields = (
            "id",
            "order_id",
            "product_id",
            "variant_id",
            "sku",
            "name",
            "quantity",
            "cancelled",
            "fulfilled",
            "returned",
            "unit_price",
            "total_price",
            "subtotal",
            "tax",
            "tax_rate",
            "discount",
            "metadata",
            "created_at",
        )
        amounts = ("unit_price", "total_price", "tax", "discount")

    product_id = serializers.SerializerMethodField()
    subtotal = serializers.SerializerMethodField()

    def get_product_id(self, item: OrderItem) -> int | None:
        return item.variant.product_id if item.variant else None

    def get_subtotal(self, item: OrderItem) -> Any:
        return json.Number(item.total_price)


class HoldSerializer(serializers.ModelSerializer[OrderHold]):
    """A reason why the order waits."""

    class Meta:
        model = OrderHold
        fields = (
            "id",
            "order_id",
            "reason",
            "note",
            "owner",
            "placed_by",
            "created_at",
            "released_by",
            "released_at",
            "release_note",
        )


class NoteSerializer(serializers.ModelSerializer[OrderNote]):
    """A remark."""

    class Meta:
        model = OrderNote
        fields = ("id", "order_id", "text", "author", "visible_to_customer", "created_at")


class FulfillmentSerializer(serializers.ModelSerializer[Fulfillment]):
    """A parcel and what is in it."""

    class Meta:
        model = Fulfillment
        fields = (
            "id",
            "order_id",
            "warehouse_id",
            "warehouse",
            "status",
            "weight_g",
            "tracking_number",
            "lines",
            "created_at",
            "packed_at",
            "shipped_at",
            "delivered_at",
        )

    warehouse = serializers.CharField(source="warehouse.code")
    lines = serializers.SerializerMethodField()

    def get_lines(self, parcel: Fulfillment) -> list[dict[str, Any]]:
        return [
            {"order_item_id": line.item_id, "sku": line.item.sku, "quantity": line.quantity}
            for line in parcel.lines.all()
        ]


class OrderSerializer(CommerceSerializer):
    """An order as lists show it; without `customer:personal` mail addresses are masked.

    The rows are those of `rows.shown`, which brings along what stands in other tables.
    """

    class Meta:
        model = Order
        fields = (
            "id",
            "order_number",
            "customer_id",
            "merchant_id",
            "status",
            "state",
            "payment_status",
            "fulfillment_status",
            "subtotal",
            "tax",
            "shipping_cost",
            "discount",
            "total",
            "currency",
            "origin",
            "external_ref",
            "channel",
            "shipping_address_id",
            "billing_address_id",
            "payment_method",
            "notes",
            "customer_notes",
            "cancel_reason",
            "metadata",
            "version",
            "placed_at",
            "expires_at",
            "created_at",
            "updated_at",
            "confirmed_at",
            "shipped_at",
            "delivered_at",
            "cancelled_at",
        )
        amounts = ("subtotal", "tax", "shipping_cost", "discount", "total")

    state = serializers.CharField(source="status")
    channel = serializers.CharField(source="channel_code")

    def to_representation(self, order: Any) -> dict[str, Any]:
        row = super().to_representation(order)
        row["status"] = status_word(order)
        row["payment_status"] = payment_word(order)
        row["payment_state"] = order.payment_status
        row["shipping"] = row["shipping_cost"]
        row["customer"] = self._customer(order)
        row["items_count"] = order.n_items
        row["holds"] = order.hold_reasons
        return row

    def _customer(self, order: Any) -> dict[str, Any]:
        guest = order.shipping_address.get("name", "")
        name = f"{order.first_name} {order.last_name}".strip() if order.customer_id else guest
        email = self.personal(order.email)
        return {"id": order.customer_id, "name": name or "Guest", "email": email}

    def personal(self, value: str) -> str:
        """The value, masked for a caller who may not see personal data."""
        return value if self.context.get("personal") else masked(value)
