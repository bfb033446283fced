"""Which routes answer on which port; derived from the table of agents and the routers."""

from functools import cache
from typing import Any

from django.conf import settings

from ecommerce.agents import COORDINATOR_PORT, GATEWAY_PORT


def urlconf_for_port(port: str) -> Any:
    """A tuple of URL patterns for an agent's own port and 9001; None where all routes answer."""
    if not port.isdigit() or int(port) == settings.PORT:
        return None
    number = int(port)
    package = settings.PORT_PACKAGES.get(number)
    if number in (COORDINATOR_PORT,) or package:
        return _urlconf(number, package)
    return None


@cache
def _urlconf(port: int, package: str | None) -> Any:
    # Imported late: the URL modules import all views, and this module is read by the middleware.
    from platform_site import urls  # noqa: PLC0415 (see above)

    if port == COORDINATOR_PORT:
        return tuple(urls.coordinator_patterns())
    if port == GATEWAY_PORT:
        return tuple(urls.gateway_patterns())
    return tuple(urls.agent_patterns(package or ""))
