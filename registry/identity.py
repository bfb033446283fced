"""Who may act as which agent. Every edge that acts as one asks here."""

from django.conf import settings

from platform_site.common import access
from platform_site.common.audit import record
from platform_site.common.errors import Forbidden, Refusal
from platform_site.common.keys import agent_owns_key
from platform_site.common.principals import Principal
from registry.models import Agent

RESERVED_PREFIX = "system."  # capabilities of internal jobs


class Superseded(Refusal):
    """The call comes from an older process start of the agent than the newest that registered."""

    code = "superseded"


def is_builtin(agent_id: str) -> bool:
    """Whether the id belongs to one of the platform's own agents."""
    return agent_id in settings.BUILTIN_AGENT_IDS


def require_may_act_as(principal: Principal, agent_id: str) -> None:
    """The caller may register, beat, claim and speak as this agent. Raises Forbidden.

    Call it outside a transaction: the refusal is written to the audit log, which must outlive it.
    """
    refusal = _refusal(principal, agent_id)
    if refusal:
        record("security.denied", actor=principal.actor, agent_id=agent_id, reason=refusal)
        raise Forbidden(refusal)


def require_may_act_on(principal: Principal, reach: str, agent_id: str) -> None:
    """For rights that operators hold on all agents, others on those they act as."""
    if reach != access.ALL or is_builtin(agent_id):
        require_may_act_as(principal, agent_id)


def require_incarnation(agent: Agent, incarnation: int | None) -> None:
    """The caller is no older process start. Raises Superseded; no number, no check."""
    if incarnation is not None and incarnation < agent.incarnation:
        raise Superseded(
            f"{agent} was registered again by a newer process (incarnation {agent.incarnation}); "
            "this one should stop.",
            incarnation=agent.incarnation,
        )


def _refusal(principal: Principal, agent_id: str) -> str:
    """Why not, in words; empty if the caller may."""
    if principal.kind == "system":
        return ""
    if is_builtin(agent_id):
        return f"{agent_id} is one of the platform's own agents; nobody else acts as it."
    owns_key = agent_owns_key(agent_id)
    if principal.may_act_as(agent_id, owns_key=owns_key):
        return ""
    if owns_key:
        return f"Agent {agent_id} has a key of its own; only that key acts as it."
    return f"This credential does not act as agent {agent_id}."
