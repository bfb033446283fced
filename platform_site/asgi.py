"""ASGI: Django for HTTP, our streams for sockets."""

import os
import time
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")
django_application = get_asgi_application()

# The models that these need exist only from here on.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from messaging.longpoll import LongPoll  # noqa: E402
from messaging.metrics import requests  # noqa: E402
from messaging.streams.dashboard import DashboardSocket  # noqa: E402
from messaging.streams.platform import PlatformSocket  # noqa: E402


async def measured(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Django, timed for `system_metrics`; a stream counts up to its first byte."""
    began = time.monotonic()

    async def note(message: Any) -> None:
        if message["type"] == "http.response.start":
            requests.note(time.monotonic() - began, message["status"])
        await send(message)

    await django_application(scope, receive, note)


async def no_such_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse the handshake at an address that serves no socket."""
    await receive()
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send({"type": "websocket.http.response.start", "status": 404, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})


route: Any = re_path  # the stubs of Django know only HTTP views
SOCKETS = [
    route(r"^api/v1/ws/(?P<client_id>[^/]{1,200})/?$", PlatformSocket.as_asgi()),
    route(r"^(?:api/)?ws/?$", DashboardSocket.as_asgi()),
    route(r"", no_such_socket),
]
application = ProtocolTypeRouter({"http": LongPoll(measured), "websocket": URLRouter(SOCKETS)})
