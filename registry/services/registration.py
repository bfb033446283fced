"""Agents come, change and go."""

import uuid
from typing import Any, Unpack

from django.db import transaction
from django.utils import timezone

from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Missing
from platform_site.common.keys import key_issue
from platform_site.common.models import ApiKey
from registry import events, ports
from registry.declaration import (
    Declaration,
    check_agent_id,
    check_declaration,
    check_status,
    normalized,
)
from registry.models import Agent, AgentTrait, Presence
from registry.services.presence import seen_now

_TRAITS = {"capabilities": "capability", "services": "service", "tags": "tag"}


@requires("agent:register")
@transaction.atomic
def agent_register(
    *,
    agent_id: str = "",
    status: str = "",
    instance_id: str = "",
    actor: str,
    **declared: Unpack[Declaration],
) -> Agent:
    """The agent as it declares itself now: a new row, or the same one again.

    Registering again replaces capabilities, services, endpoints, resources and metadata, and keeps
    the time of registration, overlays and whatever is not declared. Raises Invalid.
    """
    agent_id = agent_id or str(uuid.uuid4())
    check_agent_id(agent_id)
    check_declaration(agent_id, declared)
    if status:
        check_status(status)
    values = normalized(declared)
    agent, is_new = Agent.objects.get_or_create(
        agent_id=agent_id, defaults={"name": agent_id, **values, "instance_id": instance_id}
    )
    if not is_new:
        agent = Agent.objects.select_for_update().get(pk=agent.pk)
        _take_over(agent, instance_id, actor)
        _declare(agent, {**values, "deregistered_at": None})
    _write_traits(agent)
    Presence.objects.get_or_create(agent=agent)
    seen_now(agent, reported=status)
    emit(
        events.AGENT_REGISTERED,
        agent,
        actor=actor,
        agent_id=agent_id,
        name=agent.name,
        agent_type=agent.agent_type,
        capabilities=agent.capabilities,
        incarnation=agent.incarnation,
        again=not is_new,
    )
    return agent


@requires("agent:register")
@transaction.atomic
def agent_enrol(*, actor: str, **fields: Any) -> tuple[Agent, str]:
    """Register, and give the agent a key of its own: from now on only that key acts as it."""
    agent = agent_register(**fields, actor=actor)
    _, secret = agent_key_issue(agent, actor=actor)
    return agent, secret


@requires("key:issue")
@transaction.atomic
def agent_key_issue(agent: Agent, *, actor: str) -> tuple[ApiKey, str]:
    """A key that acts as this agent only; an older one is revoked. The secret is shown once."""
    return key_issue(name=agent.name[:120], agent_id=agent.agent_id, actor=actor)


@requires("agent:control")
@transaction.atomic
def agent_change(agent: Agent, *, actor: str, **changes: Unpack[Declaration]) -> Agent:
    """Change what operators may set of an agent. Raises Invalid, Missing."""
    check_declaration(agent.agent_id, changes)
    locked = _locked(agent)
    values = {name: value for name, value in normalized(changes).items() if name in changes}
    _declare(locked, values)
    _write_traits(locked)
    emit(events.AGENT_CHANGED, locked, actor=actor, agent_id=agent.agent_id, fields=sorted(changes))
    return locked


@requires("agent:unregister")
@transaction.atomic
def agent_deregister(agent: Agent, *, actor: str) -> Agent:
    """The agent goes: its tasks return to the queue, its history stays. Raises Missing."""
    locked = _locked(agent)
    _declare(locked, {"deregistered_at": timezone.now()})
    requeued = ports.leases_end(locked, reason="deregistered", actor=actor)
    facts = {"agent_id": agent.agent_id, "requeued": requeued}
    emit(events.AGENT_DEREGISTERED, locked, actor=actor, **facts)
    return locked


def _locked(agent: Agent) -> Agent:
    rows = Agent.objects.select_for_update().filter(pk=agent.pk, deregistered_at=None)
    locked = rows.first()
    if locked is None:
        raise Missing("Agent not found")
    return locked


def _declare(agent: Agent, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(agent, name, value)
    agent.version += 1
    agent.save()


def _take_over(agent: Agent, instance_id: str, actor: str) -> None:
    """A new process start raises the incarnation; a clash if the one before was heard just now."""
    if not instance_id or instance_id == agent.instance_id:
        return
    previous = Presence.objects.filter(agent=agent).first()
    last_seen_at = previous.last_seen_at if previous else None
    is_alive = last_seen_at and (timezone.now() - last_seen_at).total_seconds() < agent.ttl_s
    had_instance, agent.instance_id = agent.instance_id, instance_id
    agent.incarnation += 1
    if had_instance and is_alive and agent.deregistered_at is None:
        facts = {"incarnation": agent.incarnation, "last_seen_at": last_seen_at}
        emit(events.AGENT_CLASH, agent, actor=actor, agent_id=agent.agent_id, **facts)


def _write_traits(agent: Agent) -> None:
    """The indexed words are exactly those of the agent's lists."""
    wanted = {(kind, word) for name, kind in _TRAITS.items() for word in getattr(agent, name)}
    stored = {(row.kind, row.word): row.pk for row in AgentTrait.objects.filter(agent=agent)}
    ghosts = [pk for trait, pk in stored.items() if trait not in wanted]
    if ghosts:
        AgentTrait.objects.filter(pk__in=ghosts).delete()
    missing = sorted(wanted - stored.keys())
    AgentTrait.objects.bulk_create(
        AgentTrait(agent=agent, kind=kind, word=word) for kind, word in missing
    )
