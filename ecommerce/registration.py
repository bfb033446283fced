"""The 27 agents of the table register as any agent does."""

from typing import Any

from ecommerce.agents import AGENTS, AgentSpec
from registry.models import Agent
from registry.services import agent_register

ACTOR = "system"


def register_builtin_agents() -> int:
    """Bring the registry up to date with the table; returns how many agents had to be registered.

    Costs one query where nothing changed. An agent whose package is not built yet is registered
    too, reports itself inactive and was never heard.
    """
    known = {agent.agent_id: agent for agent in Agent.objects.filter(deregistered_at=None)}
    outdated = [spec for spec in AGENTS if not _is_current(known.get(spec.agent_id), spec)]
    for spec in outdated:
        status = "active" if spec.is_implemented else "inactive"
        agent_register(agent_id=spec.agent_id, status=status, **_declared(spec), actor=ACTOR)
    return len(outdated)


def _declared(spec: AgentSpec) -> Any:
    return {
        "name": spec.name,
        "agent_type": "specialist",
        "accept_any": False,  # it would not know what to do with a task that asks for nothing
        "capabilities": list(spec.capabilities),
        "metadata": {
            "implemented": spec.is_implemented,
            "port": spec.port,
            "category": str(spec.category),
            "version": spec.version,
        },
    }


def _is_current(agent: Agent | None, spec: AgentSpec) -> bool:
    return agent is not None and all(
        getattr(agent, name) == value for name, value in _declared(spec).items()
    )
