"""What an agent declares about itself, and the rules that this has to keep."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from platform_site.common.errors import Invalid
from registry.identity import RESERVED_PREFIX, is_builtin
from registry.models import Agent
from registry.status import REPORTABLE

AGENT_TYPES = (
    *(
        "worker",
        "provider",
        "consumer",
        "general",
        "coordinator",
        "specialist",
        "monitor",
        "gateway",
    ),
    *("orchestrator", "inference", "training", "processing", "storage", "compute", "generic"),
)
ROUTE_WORDS = ("register", "discover", "service", "capability")
ID_LENGTH = 200


class Declaration(TypedDict, total=False):
    """What a registration may say. What it leaves out is emptied (`REPLACED`) or kept as it was."""

    name: str
    agent_type: str
    capabilities: Iterable[str]
    services: Iterable[str]
    tags: Iterable[str]
    endpoints: Mapping[str, str]
    resources: Mapping[str, Any]
    metadata: Mapping[str, Any]
    chain_id: str
    island_id: str
    max_concurrency: int
    weight: float
    ttl_s: int
    delivery: str
    accept_any: bool


REPLACED: dict[str, type] = {
    "capabilities": list,
    "services": list,
    "endpoints": dict,
    "resources": dict,
    "metadata": dict,
}
SETS = ("capabilities", "services", "tags")


def check_agent_id(agent_id: str) -> None:
    """1 to 200 printable characters, no `/`, no blank at an end, no word of a route."""
    if not 1 <= len(agent_id) <= ID_LENGTH:
        raise Invalid(f"agent_id has 1 to {ID_LENGTH} characters.", field="agent_id")
    if not agent_id.isprintable() or "/" in agent_id or agent_id != agent_id.strip():
        raise Invalid(
            "agent_id has printable characters only, no slash and no blank at its ends.",
            field="agent_id",
        )
    if agent_id in ROUTE_WORDS or agent_id in (".", ".."):
        raise Invalid(f"{agent_id} is part of an address; take another agent_id.", field="agent_id")


def check_declaration(agent_id: str, declared: Declaration) -> None:
    """The words are known and the capabilities are not those of internal jobs. Raises Invalid."""
    agent_type = declared.get("agent_type", "general")
    if agent_type not in AGENT_TYPES:
        raise Invalid(
            f"agent_type is {agent_type!r}; it can be {', '.join(AGENT_TYPES)}.", field="agent_type"
        )
    if declared.get("delivery", "auto") not in Agent.Delivery.values:
        raise Invalid("delivery is pull, push or auto.", field="delivery")
    reserved = [
        word
        for word in declared.get("capabilities", ())
        if word.lower().startswith(RESERVED_PREFIX)
    ]
    if reserved and not is_builtin(agent_id):
        raise Invalid(
            f"{reserved[0]} is reserved: capabilities under {RESERVED_PREFIX} are internal jobs.",
            field="capabilities",
        )


def check_status(status: str) -> None:
    """A status that an agent may report. Raises Invalid."""
    if status not in REPORTABLE:
        raise Invalid(f"status is {status!r}; it can be {', '.join(REPORTABLE)}.", field="status")


def normalized(declared: Declaration) -> dict[str, Any]:
    """Field values: sets without doubles in the order given, mappings as plain dicts."""
    values: dict[str, Any] = dict(declared)
    for name in SETS:
        if name in values:
            values[name] = list(dict.fromkeys(values[name]))
    for name, kind in REPLACED.items():
        values[name] = kind(values.get(name, ()))
    return values
