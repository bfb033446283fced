"""JSON of the APIs and sockets: exact amounts, UTC times, and an input that cannot hurt."""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from platform_site.common.errors import BadWord, Invalid

MAX_DEPTH = 64


class Number(Decimal):
    """An amount written as a JSON number from its decimal text, never through a float."""


def _default(value: Any) -> Any:
    if isinstance(value, Number):
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if hasattr(value, "__str__") and hasattr(value, "_proxy____cast"):  # a lazy translation
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dumps(value: Any) -> bytes:
    """Compact JSON; Decimal as text, Number as a number, times with microseconds and offset."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS)


def indented(value: Any) -> str:
    """JSON for people: two spaces, keys in their order."""
    return orjson.dumps(
        value, default=_default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2
    ).decode()


def instant(value: datetime | date | None) -> str | None:
    """`2026-01-31T12:00:00.123456+00:00`, or null."""
    if not isinstance(value, datetime):
        return value.isoformat() if value else None
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def loads(body: bytes) -> Any:
    """A request body as Python values; an empty body is an empty object.

    Raises BadWord (400) for text that is no JSON or nested deeper than 64, Invalid (422) for NUL
    characters and lone surrogates.
    """
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"\\ud" in body.lower():
            raise Invalid("The text holds half of a surrogate pair.") from error
        raise BadWord(f"The body is not valid JSON: {error}.") from error
    _inspect(value, 0, "")
    return value


def _inspect(value: Any, depth: int, path: str) -> None:
    if depth > MAX_DEPTH:
        raise BadWord(f"The body is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str) and "\0" in value:
        raise Invalid(f"{path or 'The text'} holds a NUL character.", field=path)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadWord("Numbers must be finite.")
    for name, inner in _children(value):
        if "\0" in name:
            raise Invalid("A key holds a NUL character.", field=path)
        _inspect(inner, depth + 1, f"{path}.{name}" if path else name)


def _children(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list):
        return ((str(index), inner) for index, inner in enumerate(value))
    return ()
