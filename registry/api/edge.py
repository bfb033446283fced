"""What the agent routes of both APIs do in the same way."""

import uuid
from typing import Any

from django.db.models import QuerySet

from platform_site.common.errors import Forbidden
from platform_site.common.principals import Principal
from registry import services
from registry.discovery import registered
from registry.health import with_health
from registry.identity import require_may_act_as, require_may_act_on
from registry.models import Agent


class AgentEdge:
    """Finds agents by their id, lets callers act as them, registers."""

    not_found = "Agent not found"
    principal: Principal
    actor: str
    request: Any

    def get_queryset(self) -> QuerySet[Any]:
        """The registered agents, oldest first, with everything that an answer shows."""
        return with_health(registered()).select_related("presence").order_by("pk")

    def find(self, key: str) -> Any:
        """The agent whose id stands in the address."""
        return self.get_queryset().filter(agent_id=key).first()

    def acting(self) -> Any:
        """The agent in the address, if the caller may act as it. Raises Missing, Forbidden."""
        agent = self.get_object()  # type: ignore[attr-defined]  # of the viewset
        require_may_act_as(self.principal, agent.agent_id)
        return agent

    def owned(self) -> Any:
        """The agent in the address, if the caller's right reaches it. Raises Missing, Forbidden."""
        agent = self.get_object()  # type: ignore[attr-defined]  # of the viewset
        require_may_act_on(self.principal, self.request.reach, agent.agent_id)
        return agent

    def claimed_id(self, fields: dict[str, Any]) -> str:
        """The id to register: the one sent, the caller's own, or a new one. Raises Forbidden."""
        agent_id = fields.pop("agent_id", "") or self.principal.agent_id or str(uuid.uuid4())
        require_may_act_as(self.principal, agent_id)
        return agent_id

    def registration(self, agent_id: str, fields: dict[str, Any]) -> tuple[Agent, dict[str, str]]:
        """Register; with `issue_key` also give the agent a key, which the answer shows once."""
        if not fields.pop("issue_key"):
            return services.agent_register(agent_id=agent_id, **fields, actor=self.actor), {}
        if self.principal.kind == "anonymous":
            raise Forbidden("A key is issued to callers with a credential only.")
        agent, secret = services.agent_enrol(agent_id=agent_id, **fields, actor=self.actor)
        return agent, {"api_key": secret}
