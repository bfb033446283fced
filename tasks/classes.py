"""Matching: which demands a task makes, and whether an agent meets them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from platform_site.common.errors import Invalid
from platform_site.common.quantities import quantities, quantity
from registry.models import Agent
from tasks.models import TaskClass

ZERO = Decimal(0)


def class_of(
    *,
    capabilities: Iterable[str] = (),
    services: Iterable[str] = (),
    agent_type: str = "",
    agent_id: str = "",
    min_health: float = 0,
    resources: Mapping[str, Any] | None = None,
) -> TaskClass:
    """The class that makes these demands, not yet saved. Raises Invalid for what is no quantity."""
    demands: dict[str, Any] = {
        "capabilities": sorted(set(capabilities)),
        "services": sorted(set(services)),
        "agent_type": agent_type,
        "agent_id": agent_id,
        "min_health": min_health,
        "request": {
            key: str(amount) for key, amount in sorted(normalised(resources or {}).items())
        },
    }
    digest = hashlib.sha256(orjson.dumps(demands, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return TaskClass(key=digest[:40], **demands)


def normalised(resources: Mapping[str, Any]) -> dict[str, Decimal]:
    """Quantities in base units; `gpu` and `gpus` are one key. Raises Invalid naming the key."""
    amounts = quantities(dict(resources))
    if "gpus" in amounts:
        amounts["gpu"] = amounts.pop("gpus") + amounts.get("gpu", ZERO)
    return {key: amount for key, amount in amounts.items() if amount}


def decimals(request: Mapping[str, str]) -> dict[str, Decimal]:
    """A stored request as numbers."""
    return {key: Decimal(amount) for key, amount in request.items()}


def declared(resources: Mapping[str, Any]) -> dict[str, Decimal]:
    """An agent's capacity. Agents write free words there too; these count as nothing."""
    found: dict[str, Decimal] = {}
    for key, value in resources.items():
        amount = _amount(value)
        if amount is not None:
            name = "gpu" if key == "gpus" else key
            found[name] = found.get(name, ZERO) + amount
    return found


def _amount(value: Any) -> Decimal | None:
    try:
        return quantity(value, key="resources")
    except Invalid:
        return None


@dataclass(frozen=True, slots=True)
class Worker:
    """What of an agent decides whether it may have tasks of a class."""

    agent_id: str
    agent_type: str
    capabilities: frozenset[str]
    services: frozenset[str]
    capacity: dict[str, Decimal]
    accept_any: bool
    health: float = 1.0

    @classmethod
    def of(cls, agent: Agent, *, health: float = 1.0) -> "Worker":
        """The facts as the row has them."""
        return cls(
            agent_id=agent.agent_id,
            agent_type=agent.agent_type,
            capabilities=frozenset(agent.capabilities),
            services=frozenset(agent.services),
            capacity=declared(agent.resources),
            accept_any=agent.accept_any,
            health=health,
        )


@dataclass(frozen=True, slots=True)
class Blocker:
    """The first predicate that an agent fails, in words."""

    predicate: str
    sentence: str


def blocker(worker: Worker, demands: TaskClass) -> Blocker | None:
    """The first demand of the class that the agent never meets."""
    missing_services = sorted(set(demands.services) - worker.services)
    missing = sorted(set(demands.capabilities) - worker.capabilities)
    short = shortage(decimals(demands.request), worker.capacity)
    if demands.agent_type and demands.agent_type != worker.agent_type:
        return Blocker("type", f"its type is {worker.agent_type}, not {demands.agent_type}")
    if demands.agent_id and demands.agent_id != worker.agent_id:
        return Blocker("target", f"the task is for {demands.agent_id} only")
    if missing_services:
        return Blocker("services", f"lacks {', '.join(missing_services)}")
    if missing:
        return Blocker("capabilities", f"lacks {', '.join(missing)}")
    if not (demands.capabilities or demands.agent_id or worker.accept_any):
        return Blocker("capabilities", "takes no tasks that name no capability")
    if worker.health < demands.min_health:
        return Blocker("health", f"its health is {worker.health}, not {demands.min_health}")
    if short:
        return Blocker("capacity", f"its whole capacity is short by {short}")
    return None


def shortage(request: Mapping[str, Decimal], available: Mapping[str, Decimal]) -> str:
    """By how much a request exceeds what is there: `0.5 cpu, 1024 memory`; empty if it fits."""
    lacking = {key: amount - available.get(key, ZERO) for key, amount in request.items()}
    return ", ".join(
        f"{amount.normalize():f} {key}" for key, amount in lacking.items() if amount > 0
    )
