"""How a route is described in OpenAPI."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes

from platform_site.common.gate import CredentialAuthentication

ERRORS = {
    "400": "The body is not JSON, or a word is unknown.",
    "401": "No credential, or a wrong one.",
    "403": "The credential may not do this.",
    "404": "There is no such thing.",
    "409": "The state does not allow it, or somebody else was first.",
    "422": "A field does not fit; `errors` names it.",
}


class CredentialScheme(OpenApiAuthenticationExtension):
    """Tells the schema of the two ways to show a credential."""

    target_class = CredentialAuthentication
    name = ["bearer", "apiKey"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A JWT or an API key."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{"bearer": []}, {"apiKey": []}]  # either, not both


class Schema(AutoSchema):
    """Describes a route from its view; `inputs` names the body of an action."""

    def get_request_serializer(self) -> Any:
        if self.method in ("GET", "DELETE"):
            return None
        action = getattr(self.view, "action", self.method.lower())
        return getattr(self.view, "inputs", {}).get(action, OpenApiTypes.OBJECT)

    def get_response_serializers(self) -> Any:
        return self._get_serializer() or OpenApiTypes.OBJECT

    def _get_serializer(self) -> Any:
        if getattr(self.view, "serializer_class", None) is None:
            return OpenApiTypes.OBJECT
        serializer = super()._get_serializer()
        # Rows that are written by hand have no fields to describe.
        return serializer if hasattr(serializer, "fields") else OpenApiTypes.OBJECT

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own form
        method = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        return ((method and method.__doc__) or super().get_description() or "").strip()

    def get_summary(self) -> str | None:
        first = self.get_description().split("\n")[0].rstrip(".")
        return first or None

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status, words in ERRORS.items():
            content = {"application/json": {"schema": {"type": "object"}}}
            bodies.setdefault(status, {"description": words, "content": content})
        return bodies


def without_slash_and_aliases(endpoints: list[Any]) -> list[Any]:
    """The optional trailing slash and the alias `/v1` of the coordinator are not shown twice."""
    shown = []
    for path, regex, method, callback in endpoints:
        if not path.startswith("/v1/"):
            shown.append((path.rstrip("/") or "/", regex, method, callback))
    return shown
