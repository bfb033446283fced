"""Agents in the Platform API."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common import access, json
from platform_site.common.api import PlatformViewSet, platform
from platform_site.common.errors import Forbidden
from registry import services
from registry.api import inputs
from registry.api.edge import AgentEdge
from registry.api.serializers import PlatformAgentSerializer
from registry.identity import is_builtin
from registry.models import AgentTrait


class AgentViewSet(AgentEdge, PlatformViewSet):
    """`/api/v1/agents`."""

    serializer_class = PlatformAgentSerializer
    access = {
        "list": "agent:view",
        "retrieve": "agent:view",
        "create": services.agent_register,
        "partial_update": services.agent_change,
        "destroy": services.agent_deregister,
        "heartbeat": services.agent_heartbeat,
        "overlay": services.agent_overlay_set,
        "key": services.agent_key_issue,
    }

    def list(self, request: Request) -> Response:
        """The agents, oldest first."""
        agents, asked = self.get_queryset(), request.query_params
        if "status_filter" in asked:
            agents = agents.filter(computed_status=asked["status_filter"])
        if "type_filter" in asked:
            agents = agents.filter(agent_type=asked["type_filter"])
        if "capability_filter" in asked:
            having = AgentTrait.objects.filter(
                kind=AgentTrait.Kind.CAPABILITY, word=asked["capability_filter"]
            )
            agents = agents.filter(pk__in=having.values("agent_id"))
        return self.page(agents)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One agent."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=inputs.PlatformAgentInput)
    def create(self, request: Request) -> HttpResponseBase:
        """Register an agent; without `agent_id` it is a new one."""
        fields = self.validated(inputs.PlatformAgentInput)
        agent_id, with_key = self.claimed_id(fields), fields["issue_key"]

        def answer() -> Response:
            agent, key = self.registration(agent_id, fields)
            return Response({**self.respond(agent).data, **key})

        # A secret is not stored as an answer; a repeat is refused, as the id owns its key by then.
        return answer() if with_key else self.once(answer)

    @extend_schema(request=inputs.AgentChangeInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, tags, weight, concurrency, ttl, delivery or resources."""
        agent, changes = self.get_object(), self.validated(inputs.AgentChangeInput)
        return self.respond(services.agent_change(agent, **changes, actor=self.actor))

    def destroy(self, request: Request, pk: str) -> Response:
        """Deregister: its tasks return to the queue, its history stays."""
        services.agent_deregister(self.owned(), actor=self.actor)
        return Response({"message": "Agent deregistered successfully"})

    @extend_schema(request=inputs.AgentHeartbeatInput)
    @action(detail=True, methods=["post"])
    def heartbeat(self, request: Request, pk: str) -> Response:
        """The agent lives."""
        agent, beat = self.acting(), self.validated(inputs.AgentHeartbeatInput)
        services.agent_heartbeat(agent, **beat, actor=self.actor)
        now: Any = self.find(pk)
        return Response(
            {
                "agent_id": now.agent_id,
                "status": now.computed_status,
                "heartbeat_at": json.instant(now.presence.last_seen_at),
                "ttl_s": now.ttl_s,
                "drain": now.overlay == "draining",
            }
        )

    @extend_schema(request=inputs.AgentOverlayInput)
    @action(detail=True, methods=["post"])
    def overlay(self, request: Request, pk: str) -> Response:
        """Drain, cordon, disable, rest; null lifts what stands."""
        agent, fields = self.get_object(), self.validated(inputs.AgentOverlayInput)
        fields["overlay"] = fields["overlay"] or ""
        return self.respond(services.agent_overlay_set(agent, **fields, actor=self.actor))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def key(self, request: Request, pk: str) -> Response:
        """A key of its own for the agent, shown once; an older one is revoked."""
        agent = self.get_object()
        if request.reach != access.ALL or is_builtin(agent.agent_id):  # type: ignore[attr-defined]  # by the gate
            raise Forbidden("Keys of agents are issued by operators, and for outside agents only.")
        key, secret = services.agent_key_issue(agent, actor=self.actor)
        return Response({"agent_id": agent.agent_id, "api_key": secret, "prefix": key.prefix})


platform.register("agents", AgentViewSet)
