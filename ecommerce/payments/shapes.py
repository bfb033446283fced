"""The shapes in which payments are sent and shown."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from ecommerce.payments.models import Payment, PaymentEvent, Refund
from ecommerce.payments.words import state_of, word_of
from platform_site.common.api import Amount, CommerceSerializer, Input

SMALLEST = Decimal("0.01")
CARD_SECRETS = {"cardnumber", "pan", "cvv", "cvv2", "cvc", "securitycode"}


class PaymentInput(Input):
    """A body that must not carry what only the provider may see."""

    def to_internal_value(self, data: Any) -> Any:
        for name in _names(data):
            if name.lower().replace("_", "") in CARD_SECRETS:
                raise serializers.ValidationError(
                    {name: "Card numbers and codes are not accepted; send the provider's token."}
                )
        return super().to_internal_value(data)


class PaymentCreateInput(PaymentInput):
    aliases = {"orderId": "order_id", "paymentMethod": "payment_method"}

    order_id = serializers.CharField(max_length=40)
    payment_method = serializers.CharField(max_length=40)
    amount = Amount(min_value=SMALLEST)
    currency = serializers.CharField(max_length=3, default="")
    card_last4 = serializers.RegexField(r"^[0-9]{4}$", default="")
    card_brand = serializers.CharField(max_length=20, default="", allow_blank=True)
    capture = serializers.BooleanField(default=True)
    simulate = serializers.CharField(max_length=80, default="", allow_blank=True)


class CaptureInput(PaymentInput):
    amount = Amount(min_value=SMALLEST, required=False, allow_null=True)


class RefundInput(PaymentInput):
    amount = Amount(min_value=SMALLEST)
    reason = serializers.CharField(max_length=500)


class CancelInput(PaymentInput):
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class DecisionInput(Input):
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class FilterInput(Input):
    status = serializers.CharField(max_length=40, required=False)
    payment_method = serializers.CharField(max_length=40, required=False)
    order_id = serializers.CharField(max_length=40, required=False)


class PaymentEventSerializer(CommerceSerializer):
    class Meta:
        model = PaymentEvent
        fields = (
            "id",
            "kind",
            "phase",
            "amount",
            "idempotency_key",
            "provider_ref",
            "error_code",
            "error",
            "actor",
            "created_at",
        )
        amounts = ("amount",)


class RefundSerializer(CommerceSerializer):
    class Meta:
        model = Refund
        fields = (
            "id",
            "payment_id",
            "amount",
            "reason",
            "status",
            "requested_by",
            "decided_by",
            "decided_at",
            "error",
            "created_at",
        )
        amounts = ("amount",)


class PaymentSerializer(CommerceSerializer):
    payment_method = serializers.CharField(source="method.code")
    payment_method_id = serializers.IntegerField(source="method_id")
    transaction_type = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    gateway = serializers.CharField(source="provider")
    gateway_transaction_id = serializers.CharField(source="provider_ref")
    error_message = serializers.CharField(source="error")
    metadata = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "id",
            "order_number",
            "payment_method",
            "payment_method_id",
            "transaction_type",
            "status",
            "state",
            "amount",
            "currency",
            "authorized",
            "captured",
            "refunded",
            "voided",
            "gateway",
            "gateway_transaction_id",
            "card_brand",
            "card_last4",
            "error_message",
            "metadata",
            "paid_at",
            "version",
            "created_at",
            "updated_at",
        )
        amounts = ("amount", "authorized", "captured", "refunded", "voided")

    def get_transaction_type(self, payment: Payment) -> str:
        return "sale" if payment.captures_at_once else "authorization"

    def get_status(self, payment: Payment) -> str:
        return word_of(payment)

    def get_state(self, payment: Payment) -> str:
        return state_of(payment)

    def get_metadata(self, payment: Payment) -> dict[str, Any]:
        return {"simulate": payment.simulate} if payment.simulate else {}


def _names(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*(_names(inner) for inner in data.values()))
    if isinstance(data, list):
        return set().union(*(_names(inner) for inner in data))
    return set()
