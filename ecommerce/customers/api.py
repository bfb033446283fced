"""Customers and their addresses in the Commerce API."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.customers import services
from ecommerce.customers.models import Address, Customer
from platform_site.common import json
from platform_site.common.api import CommerceSerializer, Input, ReadViewSet, commerce
from platform_site.common.money import ZERO, rounded
from platform_site.common.personal import HIDDEN, masked

PERSONAL = "customer:personal"
PERSONAL_KEYS = ("first_name", "last_name", "company", "line1", "line2", "city", "postal_code")


class AddressSerializer(serializers.ModelSerializer[Address]):
    """An address in the words of the API, masked for those who may not read personal data."""

    class Meta:
        model = Address
        fields = (
            "id",
            "customer_id",
            "kind",
            "first_name",
            "last_name",
            "company",
            "line1",
            "line2",
            "city",
            "state",
            "country",
            "postal_code",
            "phone",
            "is_default",
            "created_at",
            "updated_at",
        )

    def to_representation(self, address: Address) -> dict[str, Any]:
        row = super().to_representation(address)
        if not _sees_personal(self.context):
            row |= {key: HIDDEN for key in PERSONAL_KEYS if row[key]}
            row["phone"] = masked(row["phone"])
        line1, line2 = row.pop("line1"), row.pop("line2")
        return {
            **row,
            "user_id": address.customer.user_id,
            "address_type": row.pop("kind"),
            "address_line1": line1,
            "address_line_1": line1,
            "street_address": line1,
            "address_line2": line2,
            "address_line_2": line2,
        }


class CustomerSerializer(CommerceSerializer):
    """A customer; mail and phone are masked for those who may not read personal data."""

    class Meta:
        model = Customer
        fields = (
            "id",
            "user_id",
            "status",
            "customer_group",
            "external_ref",
            "locale",
            "currency",
            "total_orders",
            "total_spent",
            "last_order_at",
            "notes",
            "tags",
            "metadata",
            "version",
            "created_at",
            "updated_at",
        )
        amounts = ("total_spent",)

    def to_representation(self, customer: Customer) -> dict[str, Any]:
        row = super().to_representation(customer)
        average = _average(customer)
        row["average_order_value"] = json.Number(average)
        row["lifetime_value"] = row["total_spent"]
        row["amounts"] |= {
            "average_order_value": str(average),
            "lifetime_value": str(customer.total_spent),
        }
        row["last_order_date"] = row.pop("last_order_at")
        row["segment"] = customer.customer_group or None
        sees = _sees_personal(self.context)
        row["user"] = {
            "id": customer.user_id,
            "email": customer.email if sees else masked(customer.email),
            "first_name": customer.first_name if sees else customer.first_name[:1],
            "last_name": customer.last_name if sees else customer.last_name[:1],
            "phone": customer.phone if sees else masked(customer.phone),
        }
        return row


class CustomerCreateInput(Input):
    """A new customer."""

    aliases = {"firstName": "first_name", "lastName": "last_name"}

    email = serializers.EmailField(max_length=254)
    first_name = serializers.CharField(max_length=120)
    last_name = serializers.CharField(max_length=120)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)


class CustomerChangeInput(Input):
    """What may be changed of a customer."""

    aliases = CustomerCreateInput.aliases

    first_name = serializers.CharField(max_length=120, required=False)
    last_name = serializers.CharField(max_length=120, required=False)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    notes = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False)


class CustomerBlockInput(Input):
    """Why a customer is blocked."""

    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class AddressAddInput(Input):
    """A further address."""

    aliases = {
        "address_type": "kind",
        "addressType": "kind",
        "address_line1": "line1",
        "address_line_1": "line1",
        "street_address": "line1",
        "address_line2": "line2",
        "address_line_2": "line2",
        "postalCode": "postal_code",
        "isDefault": "is_default",
    }

    kind = serializers.ChoiceField(Address.Kind.choices, default=Address.Kind.SHIPPING)
    first_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    company = serializers.CharField(max_length=200, required=False, allow_blank=True)
    line1 = serializers.CharField(max_length=300)
    line2 = serializers.CharField(max_length=300, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120)
    state = serializers.CharField(max_length=120, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20)
    country = serializers.CharField(max_length=80)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    is_default = serializers.BooleanField(default=False)


class CustomerViewSet(ReadViewSet):
    """`/api/customers`"""

    plural = "customers"
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    not_found = "Customer not found"
    sortable = {
        "created_at": "created_at",
        "total_orders": "total_orders",
        "lifetime_value": "total_spent",
    }
    access = {
        "list": "customers:view",
        "retrieve": "customers:view",
        "stats": "customers:view",
        "create": services.customer_create,
        "update": services.customer_change,
        "partial_update": services.customer_change,
        "block": services.customer_block,
        "unblock": services.customer_unblock,
        "addresses": "customers:view",
        "address_add": services.address_add,
    }

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        query = self.request.query_params
        if segment := query.get("segment"):
            rows = rows.filter(customer_group=segment)
        if status := query.get("status"):
            rows = rows.filter(status=status)
        for word in query.get("search", "").split()[:5]:
            rows = rows.filter(
                Q(email__icontains=word)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(external_ref=word)
            )
        return rows

    def retrieve(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        addresses = customer.addresses.select_related("customer")
        context = self.get_serializer_context()
        return Response(
            {
                **self.get_serializer(customer).data,
                "addresses": AddressSerializer(addresses, many=True, context=context).data,
            }
        )

    def create(self, request: Request) -> HttpResponseBase:
        """A new customer; 409 for a known mail address."""
        fields = self.validated(CustomerCreateInput)
        return self.once(
            lambda: self.respond(services.customer_create(**fields, actor=self.actor), 201)
        )

    def update(self, request: Request, pk: str) -> Response:
        """Change names, phone, notes or tags."""
        customer, fields = self.get_object(), self.validated(CustomerChangeInput)
        return self.respond(services.customer_change(customer, **fields, actor=self.actor))

    def partial_update(self, request: Request, pk: str) -> Response:
        """The same as PUT: what is not named stays."""
        return self.update(request, pk)

    @action(detail=True, methods=["post"])
    def block(self, request: Request, pk: str) -> Response:
        """The customer may place no more orders."""
        customer, fields = self.get_object(), self.validated(CustomerBlockInput)
        return self.respond(services.customer_block(customer, **fields, actor=self.actor))

    @action(detail=True, methods=["post"])
    def unblock(self, request: Request, pk: str) -> Response:
        """The customer may place orders again."""
        return self.respond(services.customer_unblock(self.get_object(), actor=self.actor))

    @action(detail=True, methods=["get"])
    def addresses(self, request: Request, pk: str) -> Response:
        """All addresses of a customer, the default ones first."""
        rows = self.get_object().addresses.select_related("customer")
        context = self.get_serializer_context()
        return Response({"addresses": AddressSerializer(rows, many=True, context=context).data})

    @addresses.mapping.post
    def address_add(self, request: Request, pk: str) -> HttpResponseBase:
        """A further address."""
        customer, fields = self.get_object(), self.validated(AddressAddInput)
        context = self.get_serializer_context()

        def answer() -> Response:
            address = services.address_add(customer, **fields, actor=self.actor)
            return Response(AddressSerializer(address, context=context).data, 201)

        return self.once(answer)

    @action(detail=False, methods=["get"])
    def stats(self, request: Request) -> Response:
        """How many customers there are, and what they bought on average."""
        figures = Customer.objects.aggregate(
            total_customers=Count("pk"),
            active_customers=Count("pk", filter=Q(status=Customer.Status.ACTIVE)),
            average=Avg("total_spent", filter=Q(total_orders__gt=0)),
        )
        groups = Customer.objects.order_by().values_list("customer_group").annotate(Count("pk"))
        average = rounded(figures.pop("average") or ZERO)
        return Response(
            {
                **figures,
                "average_lifetime_value": json.Number(average),
                "amounts": {"average_lifetime_value": str(average)},
                "segment_distribution": {group or "none": count for group, count in groups},
                "as_of": timezone.now(),
            }
        )


def _sees_personal(context: Mapping[str, Any]) -> bool:
    return bool(context["view"].may(PERSONAL))


def _average(customer: Customer) -> Any:
    return rounded(customer.total_spent / customer.total_orders) if customer.total_orders else ZERO


commerce.register("customers", CustomerViewSet)
