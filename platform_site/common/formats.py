"""How bodies are read and answers are written."""

from decimal import Decimal
from typing import Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from platform_site.common import json
from platform_site.common.limits import read_body


class Metadata(SimpleMetadata):
    """What OPTIONS says of a route; its fields stand in the OpenAPI description."""

    def determine_actions(self, request: Any, view: Any) -> dict[str, Any]:
        return {}


class JSONParser(BaseParser):
    """Every body is JSON, whatever its Content-Type says."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return json.loads(read_body(stream))


class JSONRenderer(BaseRenderer):
    """JSON by orjson; with `X-Amounts: string` every amount is text."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, media_type: Any = None, context: Any = None) -> bytes:
        if data is None:
            return b""
        request = (context or {}).get("request")
        if request is not None and request.headers.get("X-Amounts") == "string":
            data = _as_text(data)
        return json.dumps(data)


def _as_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_text(inner) for inner in value]
    return value
