"""Panels below a record: tables, facts, the timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_site.common.admin.columns import moment


@dataclass(frozen=True)
class Panel:
    """A titled part of a record's page; `note` says what it is, `empty` why it is empty."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    empty: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of a timeline: what happened when, by whom, and where to read on."""

    at: datetime
    icon: str
    title: str
    actor: str = ""
    note: Any = ""
    url: str = ""
    look: str = ""

    @property
    def when(self) -> Any:
        return moment(self.at)


def table(
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    note: str = "",
    empty: str = "There is nothing here yet.",
) -> Panel:
    """A panel with a small table."""
    context = {"headers": headers, "rows": list(rows)}
    return Panel(title, "console/table.html", context, note=note, empty=empty)


def timeline(entries: Iterable[Entry], *, title: str = "Timeline", note: str = "") -> Panel:
    """Events, tasks and messages in one line of time, newest first."""
    ordered = sorted(entries, key=lambda entry: entry.at, reverse=True)
    return Panel(
        title,
        "console/timeline.html",
        {"entries": ordered},
        note=note,
        empty="Nothing happened yet.",
    )
