"""Every write of the registry, by subject."""

from registry.services.overlays import agent_overlay_set
from registry.services.presence import (
    agent_heartbeat,
    agent_report_status,
    presence_touch,
    touch_is_due,
)
from registry.services.registration import (
    agent_change,
    agent_deregister,
    agent_enrol,
    agent_key_issue,
    agent_register,
)
from registry.services.watch import observe, watch

__all__ = [
    "agent_change",
    "agent_deregister",
    "agent_enrol",
    "agent_heartbeat",
    "agent_key_issue",
    "agent_overlay_set",
    "agent_register",
    "agent_report_status",
    "observe",
    "presence_touch",
    "touch_is_due",
    "watch",
]
