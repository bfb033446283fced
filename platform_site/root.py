"""`GET /`: the console for people, directions for programs."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.health import OpenView, version


class RootView(OpenView):
    """The door of each port."""

    def get(self, request: Request) -> HttpResponse | Response:
        """A browser goes on to the console, which lives on the platform's own port."""
        if request.accepted_renderer.format == "api":
            return redirect(self._console(request))
        return Response(
            {
                "message": "Fleetdesk is running",
                "service": "fleetdesk",
                "description": "The back office of an agent fleet",
                "version": version(),
                "docs": "/docs",
                "health": "/health",
                "endpoints": ["/api/v1", "/agents", "/tasks", "/api/orders", "/openapi.json"],
            }
        )

    def _console(self, request: Request) -> str:
        port = request.META.get("SERVER_PORT", "")
        if not port.isdigit() or int(port) not in settings.AGENT_PORT_NUMBERS - {settings.PORT}:
            return "/admin/"
        host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
        return f"{request.scheme}://{f'[{host}]' if ':' in host else host}:{settings.PORT}/admin/"
