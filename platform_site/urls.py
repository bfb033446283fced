"""All routes of the platform's own port; those of the other ports are cut from the same routers."""

from typing import Any

from django.contrib import admin
from django.urls import path, re_path
from django.utils.module_loading import autodiscover_modules

from ecommerce.products.api.categories import FeaturedView, NewArrivalsView
from platform_site import health, openapi, overview, root
from platform_site.common.api import commerce, coordinator, platform
from platform_site.console import control_room

autodiscover_modules("api", "api.platform", "api.coordinator", "api.commerce")
autodiscover_modules("agent")  # agents fill the ports that the routes of lower domains ask
commerce.view("system/overview", overview.OverviewView.as_view())

handler404 = "platform_site.common.api.errors.unknown_path"
handler500 = "platform_site.common.api.errors.json_500"

# On every port.
EVERYWHERE = [
    path("", root.RootView.as_view()),
    path("health", health.HealthView.as_view()),
    path("openapi.json", openapi.SchemaView.as_view(), name="schema"),
    path("docs", openapi.SwaggerView.as_view()),
    path("redoc", openapi.RedocView.as_view()),
]


# The shop window stands without prefix on PORT and 8100 too.
SHELVES = [
    re_path(r"^featured/?$", FeaturedView.as_view()),
    re_path(r"^new-arrivals/?$", NewArrivalsView.as_view()),
]


def coordinator_patterns() -> list[Any]:
    """Port 9001: the Coordinator API alone."""
    return [*EVERYWHERE, *coordinator.patterns(), *coordinator.patterns("v1/")]


def agent_patterns(package: str) -> list[Any]:
    """An agent's own port: its routes, with and without the prefix `api/`."""
    return [
        *EVERYWHERE,
        *commerce.patterns("api/", package=package),
        *commerce.patterns(package=package),
    ]


def gateway_patterns() -> list[Any]:
    """8100: the Commerce routes of all agents."""
    gateway = commerce.patterns(package="gateway")
    return [*EVERYWHERE, *SHELVES, *commerce.patterns("api/"), *gateway]


urlpatterns = [
    *control_room.urlpatterns,
    path("admin/", admin.site.urls),
    *EVERYWHERE,
    *platform.patterns("api/v1/"),
    *coordinator.patterns(),
    *coordinator.patterns("v1/"),
    *SHELVES,
    *commerce.patterns("api/"),
    *commerce.patterns(package="orders"),
]
