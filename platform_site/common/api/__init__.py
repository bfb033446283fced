"""What every route stands on: the base viewsets, the routers, the one exception handler."""

from platform_site.common.api.routers import commerce, coordinator, platform
from platform_site.common.api.serializers import Amount, CommerceSerializer, Id, Input, number_in
from platform_site.common.api.viewsets import ApiView, ApiViewSet, PlatformViewSet, ReadViewSet
from platform_site.common.gate import CredentialAuthentication, MayCall

__all__ = [
    "Amount",
    "ApiView",
    "ApiViewSet",
    "CommerceSerializer",
    "CredentialAuthentication",
    "Id",
    "Input",
    "MayCall",
    "PlatformViewSet",
    "ReadViewSet",
    "commerce",
    "coordinator",
    "number_in",
    "platform",
]
