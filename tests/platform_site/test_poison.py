"""Poison in every field, query and address of every route (S2). API3, API4, API8:2023.

What a route reads is found by calling it, so a new route or field is poisoned without being listed.
"""

import copy
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict
from rest_framework import serializers

from platform_site.common.errors import Refusal
from tests.platform_site.routes import (
    CELLS,
    CHANGES,
    READS,
    call,
    make_stage,
    query_shapes,
    read_by,
)

pytestmark = pytest.mark.django_db

# Every field gets its share of the poisons, each another one; `STRESS=full` gives all of it to all.
SHARE = 1 if os.environ.get("STRESS") == "full" else 8

JUST_TEXT = [
    *("-1", "1e400", "NaN", "9" * 10_000, "x" * 100_000, ""),
    *("0000-01-01T00:00:00Z", "2030-13-45T99:99:99Z"),
]
VALUES = [
    *(2**31, 2**40, 2**63 - 1, 2**63, -1, -(2**63), 0.1, 1e300, "9" * 30, "\u00b2", *JUST_TEXT),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z"),
    *(None, True, [], {}, [[]], ["x" * 100_000], [2**63], {"a": {"b": []}}, {"": ""}),
]
# What is refused before anybody reads a field; the whole table stands in test_input.py.
RAW = {b'"a\\u0000b"': 422, b'"\\ud800"': 422, b"1e400": 400, b"9" * 10_000: 400}
QUERIES = [
    *("", "-1", str(2**31), str(2**63), "9" * 30, "9" * 5_000, "\u00b2", "1e400", "NaN", "[]"),
    *("0000-01-01", "10000-01-01T00:00:00Z", "'\"\\;--%", "\u202e\U0001f642", "1,,2:3"),
]
KEYS = [
    *("0", "-1", str(2**31), str(2**63), "9" * 18, "9" * 30, "9" * 5_000, "\u00b2", "1e5"),
    *("x" * 300, "a'b", "ORD-" + "9" * 40),
]


@pytest.fixture
def stage(db):
    return make_stage()


@pytest.fixture
def refused(api):
    """`refused(cell, path, …)`: call and note what no client may ever get."""
    wrong: list[str] = []

    def check(
        cell: Any, path: str, body: Any = None, *, poison: Any = "", statuses: Any = None
    ) -> None:
        try:
            response = call(api, cell.method, path, body)
        except Exception as error:  # noqa: BLE001 (a crash is what this test looks for)
            wrong.append(f"{cell.method} {cell.route} {str(poison)[:80]}: raised {error!r:.200}")
            return
        said = _complaint(response, statuses)
        if said:
            wrong.append(f"{cell.method} {cell.route} {str(poison)[:80]}: {said}")

    yield check

    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong)


def _complaint(response: Any, statuses: Any) -> str:
    status = response.status_code
    if status >= 500 or (statuses and status not in statuses):
        return f"{status} {getattr(response, 'content', b'')[:120]!r}"
    if status >= 400:
        body = response.json()
        if not isinstance(body.get("detail"), str):
            return f"{status} without a sentence: {response.content[:120]!r}"
    return ""


def _fields(shape: serializers.Serializer, place: tuple[Any, ...] = ()) -> Iterator[Any]:
    for name, field in shape.fields.items():
        if field.read_only:
            continue
        here = (*place, name)
        yield here
        if isinstance(field, serializers.ListSerializer):
            yield from _fields(field.child, (*here, 0))
        elif isinstance(field, serializers.Serializer):
            yield from _fields(field, here)
        elif isinstance(field, serializers.ListField):
            yield (*here, 0)
            if isinstance(field.child, serializers.Serializer):
                yield from _fields(field.child, (*here, 0))


def _with(body: Any, place: tuple[Any, ...], poison: Any) -> Any:
    """The body with poison at one place; None where the body does not reach so far."""
    body = copy.deepcopy(body)
    inner = body
    for step in place[:-1]:
        if isinstance(inner, dict):
            inner = inner.setdefault(step, {})
        elif isinstance(inner, list) and inner:
            inner = inner[step]
        else:
            return None
    if isinstance(inner, list) and isinstance(place[-1], int):
        inner[:] = [poison]
    elif isinstance(inner, dict) and isinstance(place[-1], str):
        inner[place[-1]] = poison
    else:
        return None
    return body


def _at(body: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        body = body[step]
    return body


def _fits(shape: type[serializers.Serializer], part: Any) -> bool:
    try:
        return bool(shape(data=part).is_valid())
    except Refusal:
        return False


def test_poison_in_every_field_of_every_body_harms_nothing(api, stage, refused):
    bad_examples, met = [], set()
    for cell in CHANGES:
        seen, body = read_by(api, cell, stage)
        path, act = stage.path(cell.route), cell.route.split("/")[-1]
        if seen.shapes:
            for raw, status in list(RAW.items())[len(path) % min(SHARE, 4) :: min(SHARE, 4)]:
                text = b'{"x": ' + raw + b"}"
                refused(cell, path, text, poison=raw, statuses=(status,))
        for place, shape in seen.shapes:
            if place is None or (act, shape) in met:  # the same act in another API
                continue
            met.add((act, shape))
            if not _fits(shape, _at(body, place)):
                bad_examples.append(f"{cell.method} {cell.route}: {body}")
            for field, poison, poisoned in _poisoned(shape, place, body):
                what = f"{shape.__name__}.{'.'.join(map(str, field))} = {poison!r:.40}"
                # What the shape refuses is refused alike: one call shows how. What it lets through
                # goes on to the service.
                if (act, shape, field) not in met or _goes_on(shape, poisoned, place, poison):
                    met.add((act, shape, field))
                    refused(cell, path, poisoned, poison=what)

    assert not bad_examples, "\n".join(bad_examples)  # they would be refused for other reasons


def _poisoned(
    shape: type[serializers.Serializer], place: tuple[Any, ...], body: Any
) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    for number, field in enumerate(_fields(shape())):
        for poison in VALUES[number % SHARE :: SHARE]:
            poisoned = _with(body, (*place, *field), poison)
            if poisoned is not None:
                yield field, poison, poisoned


def _goes_on(
    shape: type[serializers.Serializer], body: Any, place: tuple[Any, ...], poison: Any
) -> bool:
    # One text is as good as another to a service, but for what Python takes for a number.
    return poison not in JUST_TEXT and _fits(shape, _at(body, place))


def test_odd_queries_harm_nothing(api, stage, refused):
    for cell in READS:
        if cell.route.endswith("/stream"):
            continue
        seen, _ = read_by(api, cell, stage)
        path = stage.path(cell.route)
        for name in sorted((seen.names - {"format"}) | query_shapes(seen)):
            for poison in QUERIES[len(path + name) % SHARE :: SHARE]:
                query = QueryDict(mutable=True)
                query.update({"wait": "0"} if cell.route.endswith("/events") else {})
                query[name] = poison
                if name == "wait" and poison.isdigit():
                    continue
                refused(cell, f"{path}?{query.urlencode()}", poison=f"{name}={poison:.40}")


def test_odd_ids_in_addresses_harm_nothing(stage, refused):
    for cell in CELLS:
        for name in re.findall(r"\{(\w+)\}", cell.route):
            for key in KEYS[len(cell.route) % SHARE :: SHARE]:
                body = None if cell.method in ("GET", "DELETE") else {}
                path = stage.path(cell.route, **{name: key})
                refused(cell, path, body, poison=f"{name}={key:.40}")
