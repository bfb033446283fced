"""OpenAPI and its pages on every port, from our own files."""

from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.utils.decorators import method_decorator
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from platform_site.ports import urlconf_for_port


class MayReadDocs(BasePermission):
    """Docs are public on this machine; an exposed installation asks for a credential."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return settings.PUBLIC_DOCS or request.auth is not None


class SchemaView(SpectacularJSONAPIView):
    """`/openapi.json`: the routes of the port that is asked."""

    permission_classes = [MayReadDocs]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        self.urlconf = urlconf_for_port(request.META.get("SERVER_PORT", ""))
        return super().get(request, *args, **kwargs)


class SwaggerView(SpectacularSwaggerSplitView):
    """`/docs`."""

    permission_classes = [MayReadDocs]
    template_name = "docs/swagger.html"


@method_decorator(
    csp_update({"style-src": ["'unsafe-inline'"], "worker-src": ["blob:"]}), name="dispatch"
)
class RedocView(SpectacularRedocView):
    """`/redoc`."""

    permission_classes = [MayReadDocs]
    template_name = "docs/redoc.html"
