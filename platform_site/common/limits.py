"""How large and how encoded a body may be."""

from typing import Any

from platform_site.common.errors import Refusal

MAX_BODY = 2 * 1024 * 1024


class BodyTooLarge(Refusal):
    """The body is over the limit."""

    status = 413
    code = "too_large"


class UnsupportedEncoding(Refusal):
    """Only plain bodies are read: a compressed one may be a bomb."""

    status = 415
    code = "unsupported_encoding"


def read_body(stream: Any, limit: int = MAX_BODY) -> bytes:
    """The body, read no further than the limit. Raises BodyTooLarge, UnsupportedEncoding."""
    encoding = (
        stream.META.get("HTTP_CONTENT_ENCODING", "identity") if hasattr(stream, "META") else ""
    )
    if encoding not in ("", "identity"):
        raise UnsupportedEncoding("Send the body without Content-Encoding.")
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"The body is over the limit of {limit} bytes.", limit=limit)
    return body
