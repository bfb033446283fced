"""Agents for tests."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from registry.models import Agent, Presence
from registry.services import agent_register


def make_agent(
    agent_id: str = "hermes-agent",
    *,
    silent_s: float = 0,
    reported: str = "active",
    overlay: str = "",
    overlay_until: Any = None,
    **declared: Any,
) -> Agent:
    """A registered agent, last heard `silent_s` ago."""
    fields = {"agent_type": "worker", "capabilities": ["analysis"], **declared}
    agent = agent_register(agent_id=agent_id, **fields, actor="test")
    seen = timezone.now() - timedelta(seconds=silent_s)
    Presence.objects.filter(agent=agent).update(last_seen_at=seen, reported_status=reported)
    if overlay:
        Agent.objects.filter(pk=agent.pk).update(overlay=overlay, overlay_until=overlay_until)
        agent.refresh_from_db()
    return agent
