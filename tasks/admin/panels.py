"""What stands below a task."""

from typing import Any

from platform_site.common.admin import (
    Panel,
    row_link,
    status_chip,
    table,
)
from platform_site.common.admin.columns import EMPTY, code, duration, moment
from tasks.explain import explain
from tasks.models import Task


def sentence_of(error: Any) -> str:
    if not error:
        return EMPTY
    text = str(error.get("message") or error) if isinstance(error, dict) else str(error)
    return text if len(text) <= 80 else f"{text[:80]}…"


def why(task: Task) -> Panel:
    told = explain(task)
    rows = [
        (
            code(agent["agent_id"]),
            status_chip("ready" if agent["eligible"] else "blocked"),
            agent["sentence"],
        )
        for agent in told["agents"][:30]
    ]
    headers = ("agent", "may take it", "why")
    return table("Why", headers, rows, note=told["sentence"], empty="")


def attempts_of(task: Task) -> Panel:
    rows = [
        (
            attempt.number,
            row_link(attempt.agent, attempt.agent.name),
            status_chip(attempt.outcome),
            moment(attempt.started_at),
            duration((attempt.ended_at - attempt.started_at).total_seconds())
            if attempt.ended_at
            else EMPTY,
            sentence_of(attempt.error),
        )
        for attempt in task.attempt_rows.select_related("agent").order_by("-number")[:50]
    ]
    headers = ("#", "agent", "outcome", "started", "took", "error")
    return table("Attempts", headers, rows, empty="No agent has started it yet.")


def late_results(task: Task) -> Panel:
    rows = [
        (
            row_link(late, f"result {late.number}"),
            status_chip(late.status),
            late.agent.name,
            late.differs,
        )
        for late in task.orphans.select_related("agent")
    ]
    note = "Results that came under an outdated lease; they change nothing until somebody decides."
    headers = ("result", "state", "agent", "differs from the accepted one")
    return table("Late results", headers, rows, note=note, empty="None.")
