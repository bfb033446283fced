"""Which routes answer on which port; derived from the table of agents and the routers."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from ecommerce.agents import COORDINATOR_PORT, GATEWAY_PORT


@dataclass(frozen=True, eq=False)
class PortRoutes:
    """What Django asks a URL module for, cut for one port."""

    urlpatterns: list[Any]
    handler404: str
    handler500: str


def urlconf_for_port(port: str) -> Any:
    """The PortRoutes of an agent's own port or of 9001; None where all routes answer."""
    if not port.isdigit() or int(port) == settings.PORT:
        return None
    number = int(port)
    package = settings.PORT_PACKAGES.get(number)
    if number in (COORDINATOR_PORT,) or package:
        return _urlconf(number, package)
    return None


@cache
def _urlconf(port: int, package: str | None) -> PortRoutes:
    # Imported late: the URL modules import all views, and this module is read by the middleware.
    from platform_site import urls  # noqa: PLC0415 (see above)

    if port == COORDINATOR_PORT:
        patterns = urls.coordinator_patterns()
    elif port == GATEWAY_PORT:
        patterns = urls.gateway_patterns()
    else:
        patterns = urls.agent_patterns(package or "")
    return PortRoutes(patterns, urls.handler404, urls.handler500)
