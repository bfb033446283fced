"""Carriers in the Commerce API."""

from typing import Any

from rest_framework import serializers

from ecommerce.carriers.models import Carrier
from platform_site.common.api import ReadViewSet, commerce


class CarrierSerializer(serializers.ModelSerializer[Carrier]):
    """A carrier and the codes of its services in use."""

    class Meta:
        model = Carrier
        fields = (
            "id",
            "name",
            "code",
            "tracking_url_template",
            "api_endpoint",
            "is_active",
            "supported_services",
            "metadata",
            "created_at",
            "updated_at",
        )

    supported_services = serializers.SerializerMethodField()

    def get_supported_services(self, carrier: Carrier) -> list[str]:
        return [service.code for service in carrier.services.all() if service.is_active]


class CarrierViewSet(ReadViewSet):
    """`/api/carriers`"""

    plural = "carriers"
    queryset = Carrier.objects.prefetch_related("services")
    serializer_class = CarrierSerializer
    not_found = "Carrier not found"
    access = {"list": "carriers:view", "retrieve": "carriers:view"}

    def find(self, key: str) -> Any:
        return super().find(key) or self.get_queryset().filter(code__iexact=key).first()


commerce.register("carriers", CarrierViewSet)
