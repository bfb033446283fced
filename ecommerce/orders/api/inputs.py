"""The shapes of what clients of the order routes send."""

from typing import Any

from rest_framework import serializers

from ecommerce.orders.models import OrderHold
from platform_site.common.api import Amount, Id, Input
from platform_site.common.api.ranges import TimeRangeInput


class Reference(serializers.Field[Any, Any, Any, Any]):
    """An id, or the number or SKU that a person would type."""

    default_error_messages = {"invalid": "This must be an id or a number."}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, (int, str)) or not str(data).strip():
            self.fail("invalid")
        return str(data).strip()[:80]

    def to_representation(self, value: Any) -> Any:
        return value


class OrderItemInput(Input):
    aliases = {"productId": "product_id", "variantId": "variant_id", "unitPrice": "unit_price"}

    product_id = Reference(required=False)
    variant_id = Reference(required=False)
    sku = Reference(required=False)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000)
    unit_price = Amount(required=False, allow_null=True, default=None, min_value=0)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not any(name in attrs for name in ("product_id", "variant_id", "sku")):
            raise serializers.ValidationError({"product_id": "This field is required."})
        return attrs


class AddressInput(Input):
    """An address written into the order itself, for guests."""

    aliases = {
        "address_line1": "line1",
        "street_address": "line1",
        "address_line_1": "line1",
        "address_line2": "line2",
        "postalCode": "postal_code",
    }

    name = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    company = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    line1 = serializers.CharField(max_length=200)
    line2 = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    city = serializers.CharField(max_length=120)
    state = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    postal_code = serializers.CharField(max_length=20)
    country = serializers.CharField(max_length=80)
    phone = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    email = serializers.EmailField(required=False, default="", allow_blank=True)


class OrderCreateInput(Input):
    aliases = {
        "customerId": "customer_id",
        "merchantId": "merchant_id",
        "couponCode": "coupon_code",
        "shippingAddressId": "shipping_address_id",
        "billingAddressId": "billing_address_id",
        "paymentMethod": "payment_method",
    }

    customer_id = Id(required=False, allow_null=True, default=None)
    email = serializers.EmailField(required=False, default="", allow_blank=True)
    merchant_id = Id(required=False, allow_null=True, default=None)
    channel = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    items = serializers.ListField(child=OrderItemInput(), allow_empty=False, max_length=1000)
    shipping_address_id = Id(required=False, allow_null=True, default=None)
    billing_address_id = Id(required=False, allow_null=True, default=None)
    shipping_address = AddressInput(required=False, allow_null=True, default=None)
    billing_address = AddressInput(required=False, allow_null=True, default=None)
    notes = serializers.CharField(max_length=5000, required=False, default="", allow_blank=True)
    customer_notes = serializers.CharField(
        max_length=5000, required=False, default="", allow_blank=True
    )
    coupon_code = serializers.CharField(
        max_length=80, required=False, default="", allow_blank=True, allow_null=True
    )
    payment_method = serializers.CharField(
        max_length=40, required=False, default="", allow_blank=True, allow_null=True
    )
    card_last4 = serializers.RegexField(r"^[0-9]{4}$", required=False, default="", allow_blank=True)
    card_brand = serializers.CharField(max_length=20, required=False, default="", allow_blank=True)
    simulate = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    strict_prices = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["customer_id"] is None and not attrs["email"]:
            raise serializers.ValidationError({"customer_id": "This field is required."})
        if attrs["shipping_address_id"] is None and attrs["shipping_address"] is None:
            raise serializers.ValidationError({"shipping_address_id": "This field is required."})
        return attrs


class OrderChangeInput(Input):
    status = serializers.CharField(max_length=20, required=False)
    payment_status = serializers.CharField(max_length=20, required=False)
    fulfillment_status = serializers.CharField(max_length=20, required=False)
    notes = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    customer_notes = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    version = Id(required=False)


class StatusInput(Input):
    status = serializers.CharField(max_length=20)


class CancelInput(Input):
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class HoldInput(Input):
    reason = serializers.CharField(max_length=10, required=False, default=OrderHold.Reason.MANUAL)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ReleaseInput(Input):
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class NoteInput(Input):
    text = serializers.CharField(max_length=5000)
    visible_to_customer = serializers.BooleanField(required=False, default=False)


class BulkStatusInput(Input):
    ids = serializers.ListField(child=Reference(), allow_empty=False, max_length=1000)
    status = serializers.CharField(max_length=20)


class ExportInput(Input):
    ids = serializers.ListField(child=Reference(), required=False, max_length=10_000)


class RangeInput(TimeRangeInput):
    """A span of time, of one merchant or of all."""

    merchant_id = Id(required=False)


class RecentInput(Input):
    limit = serializers.IntegerField(min_value=1, max_value=10**9, default=10)
    merchant_id = Id(required=False)
