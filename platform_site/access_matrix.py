"""Route x method x role, as the code has it: the table that a review reads."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

from platform_site.common.access import MATRIX, OPEN, ROLES, word_of
from platform_site.common.api import commerce, coordinator, platform

COLUMNS = (OPEN, *ROLES)
APIS = (
    ("platform", "api/v1/", platform),
    ("coordinator", "", coordinator),
    ("commerce", "api/", commerce),
)


@dataclass(frozen=True, order=True)
class Cell:
    """One method of one route, and the word of the matrix that opens it (empty: no word)."""

    api: str
    route: str
    method: str
    word: str

    def reach(self, role: str) -> str:
        """How far the right of a role goes here."""
        return MATRIX[self.word][role] if self.word else "y"


def cells() -> list[Cell]:
    """Every method of every route of the three APIs."""
    _ = get_resolver().url_patterns  # loads all views, which register their routes
    found = set()
    for api, prefix, router in APIS:
        for pattern in router.patterns(prefix):
            for method, declared in _methods(pattern.callback):
                word = word_of(declared) if declared is not None else ""
                found.add(Cell(api, _readable(str(pattern.pattern)), method, word))
    return sorted(found)


def as_csv() -> str:
    """The table as text."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["api", "route", "method", "permission", *COLUMNS])
    for cell in cells():
        reaches = [cell.reach(role) for role in COLUMNS]
        rows.writerow([cell.api, cell.route, cell.method, cell.word or "(none)", *reaches])
    return text.getvalue()


def _methods(callback: Any) -> Iterator[tuple[str, Any]]:
    view = getattr(callback, "cls", None) or callback.view_class
    actions: dict[str, str] = getattr(callback, "actions", None) or {
        name: name for name in view.http_method_names if hasattr(view, name)
    }
    for method, action in actions.items():
        if method not in ("options", "head"):
            yield method.upper(), view.access[action]


def _readable(pattern: str) -> str:
    """`/api/orders/{pk}/cancel` for the regular expression of a route."""
    out, depth, name = "", 0, ""
    for position, sign in enumerate(pattern):
        if sign == "(" and pattern[position - 1] != "\\":
            depth += 1
            if depth == 1:
                name = pattern[position + 4 :].split(">")[0]
        elif sign == ")" and pattern[position - 1] != "\\":
            depth -= 1
            if depth == 0:
                out += "{" + name + "}"
        elif depth == 0:
            out += sign
    return "/" + out.replace("\\", "").replace("/?", "").strip("^$Z")
