"""What can happen to an agent, and the facts that each event carries."""

AGENT_REGISTERED = (
    "agent.registered"  # agent_id, name, agent_type, capabilities, incarnation, again
)
AGENT_CHANGED = "agent.changed"  # agent_id, fields
AGENT_DEREGISTERED = "agent.deregistered"  # agent_id, requeued
AGENT_STATUS_CHANGED = "agent.status_changed"  # agent_id, status, previous
AGENT_OVERLAY_CHANGED = "agent.overlay_changed"  # agent_id, overlay, until, reason, previous
AGENT_DRAINED = "agent.drained"  # agent_id
AGENT_CLASH = "agent.clash"  # agent_id, incarnation, last_seen_at: two living instances of one id
