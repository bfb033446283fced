"""What operators decide about an agent, beside what it says of itself."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from messaging.events import emit
from platform_site.common.access import requires
from platform_site.common.errors import Invalid, StaleState
from registry import events, ports
from registry.models import Agent
from registry.services.watch import observe


@requires("agent:control")
@transaction.atomic
def agent_overlay_set(
    agent: Agent, *, overlay: str, reason: str, until: datetime | None = None, actor: str
) -> Agent:
    """Drain, cordon, disable or rest an agent; an empty word lifts the overlay that stands.

    `disabled` ends its leases at once, nothing spent. Raises Invalid, StaleState.
    """
    _check(overlay, until)
    previous, now = agent.overlay, timezone.now()
    changes = {
        "overlay": overlay,
        "overlay_until": until,
        "overlay_reason": reason,
        "overlay_set_by": actor,
        "overlay_set_at": now,
        "drained_at": None,
        "updated_at": now,
    }
    rows = Agent.objects.filter(pk=agent.pk, overlay=previous, deregistered_at=None)
    if not rows.update(**changes):
        raise StaleState(f"{agent} was changed by somebody else meanwhile; read it again.")
    agent.refresh_from_db()
    if overlay == Agent.Overlay.DISABLED:
        ports.leases_end(agent, reason="disabled", actor=actor)
    emit(
        events.AGENT_OVERLAY_CHANGED,
        agent,
        actor=actor,
        agent_id=agent.agent_id,
        overlay=overlay,
        previous=previous,
        until=until,
        reason=reason,
    )
    observe(Agent.objects.filter(pk=agent.pk))
    return agent


def _check(overlay: str, until: datetime | None) -> None:
    if overlay not in Agent.Overlay.values:
        words = ", ".join(word for word in Agent.Overlay.values if word)
        raise Invalid(f"overlay is {overlay!r}; it can be {words}, or null.", field="overlay")
    if (overlay == Agent.Overlay.MAINTENANCE) != (until is not None):
        raise Invalid("`until` belongs to maintenance, which ends by itself then.", field="until")
    if until is not None and until <= timezone.now():
        raise Invalid("`until` is over already.", field="until")
