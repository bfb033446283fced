"""What callers from outside may not ask for: the work of the platform's own agents.

A task for a built-in agent is the word of the event log, and its unique key is what keeps it from
happening twice. Whoever could submit one could report a payment that nobody made; whoever could
hold its key could keep a step of an order from ever being taken.
"""

from collections.abc import Mapping
from typing import Any

from platform_site.common.errors import Invalid
from registry.identity import RESERVED_PREFIX, is_builtin

RESERVED_KEYS = ("event:", RESERVED_PREFIX)  # of the fan-out and of internal jobs


def require_free(wishes: Mapping[str, Any]) -> None:
    """The wishes concern no work of the platform's own agents. Raises Invalid."""
    agent_id, key = wishes.get("agent_id") or "", wishes.get("unique_key") or ""
    if is_builtin(agent_id):
        raise Invalid(
            f"{agent_id} is one of the platform's own agents; its work comes from events.",
            field="agent_id",
        )
    for word in wishes.get("required_capabilities", ()):
        if word.lower().startswith(RESERVED_PREFIX):
            raise Invalid(
                f"{word} is reserved: capabilities under {RESERVED_PREFIX} are internal jobs.",
                field="required_capabilities",
            )
    if key.startswith(RESERVED_KEYS):
        raise Invalid(f"Unique keys like {key} are the platform's own.", field="unique.key")
