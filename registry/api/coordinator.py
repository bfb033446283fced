"""Agents in the Coordinator API."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common import json
from platform_site.common.api import ApiView, ApiViewSet, coordinator
from platform_site.common.api.pages import LARGEST, platform_window
from registry import discovery, services
from registry.api import inputs
from registry.api.edge import AgentEdge
from registry.api.serializers import CoordinatorAgentSerializer

Rows = list[dict[str, Any]]
LISTS = ("capabilities", "services", "tags")


def success(**facts: Any) -> Response:
    """The envelope of this API."""
    return Response({"status": "success", **facts})


def now() -> str | None:
    """The time of an answer."""
    return json.instant(timezone.now())


class AgentViewSet(AgentEdge, ApiViewSet):
    """`/agents`."""

    serializer_class = CoordinatorAgentSerializer
    access = {
        "list": "agent:view",
        "retrieve": "agent:view",
        "discover": "agent:discover",
        "service": "agent:discover",
        "capability": "agent:discover",
        "register": services.agent_register,
        "status": services.agent_report_status,
        "heartbeat": services.agent_heartbeat,
        "deregister": services.agent_deregister,
        "destroy": services.agent_deregister,
    }

    def list(self, request: Request) -> Response:
        """The agents that the filters leave, the healthiest first."""
        found = discovery.discover(**self._filters(_from_query(request)))
        window = platform_window(request)
        total = found.order_by().count()
        agents = self._shown(found[window.start : window.stop])
        response = success(agents=agents, count=len(agents), total=total, timestamp=now())
        for name, value in window.headers(request, total).items():
            response.headers[name] = value
        return response

    def retrieve(self, request: Request, pk: str) -> Response:
        """One agent."""
        return success(agent=self.get_serializer(self.get_object()).data, timestamp=now())

    def destroy(self, request: Request, pk: str) -> Response:
        """Deregister."""
        return self._deregistered()

    @extend_schema(request=inputs.CoordinatorAgentInput)
    @action(detail=False, methods=["post"])
    def register(self, request: Request) -> HttpResponseBase:
        """Register an agent, or the same one again."""
        fields = self.validated(inputs.CoordinatorAgentInput)
        agent_id, with_key = self.claimed_id(fields), fields["issue_key"]

        def answer() -> Response:
            agent, key = self.registration(agent_id, fields)
            return success(
                message=f"Agent {agent_id} registered successfully",
                agent_id=agent_id,
                registered_at=json.instant(agent.registered_at),
                incarnation=agent.incarnation,
                **key,
            )

        # A secret is not stored as an answer; a repeat is refused, as the id owns its key by then.
        return answer() if with_key else self.once(answer)

    @extend_schema(request=inputs.AgentDiscoverInput)
    @action(detail=False, methods=["post"])
    def discover(self, request: Request) -> Response:
        """Find agents by what they are and can do."""
        query = self.validated(inputs.AgentDiscoverInput)
        agents = self._found(query)
        return success(query=query, agents=agents, count=len(agents), timestamp=now())

    @action(detail=False, url_path="service/(?P<word>[^/]+)")
    def service(self, request: Request, word: str) -> Response:
        """The agents that offer a service."""
        agents = self._found({"services": [word]})
        return success(service=word, agents=agents, count=len(agents), timestamp=now())

    @action(detail=False, url_path="capability/(?P<word>[^/]+)")
    def capability(self, request: Request, word: str) -> Response:
        """The agents that have a capability."""
        agents = self._found({"capabilities": [word]})
        return success(capability=word, agents=agents, count=len(agents), timestamp=now())

    @extend_schema(request=inputs.AgentStatusInput)
    @action(detail=True, methods=["put"])
    def status(self, request: Request, pk: str) -> Response:
        """The agent says how it is."""
        fields = self.validated(inputs.AgentStatusInput)
        agent = services.agent_report_status(self.acting(), **fields, actor=self.actor)
        return success(
            message=f"Agent {agent.agent_id} status updated",
            agent_id=agent.agent_id,
            new_status=fields["status"],
            updated_at=now(),
        )

    @extend_schema(request=inputs.AgentHeartbeatInput)
    @action(detail=True, methods=["post"])
    def heartbeat(self, request: Request, pk: str) -> Response:
        """The agent lives."""
        fields = self.validated(inputs.AgentHeartbeatInput)
        agent = services.agent_heartbeat(self.acting(), **fields, actor=self.actor)
        message = f"Heartbeat received from {agent.agent_id}"
        return success(message=message, agent_id=agent.agent_id, heartbeat_at=now())

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def deregister(self, request: Request, pk: str) -> Response:
        """Deregister, for clients that only POST."""
        return self._deregistered()

    def _deregistered(self) -> Response:
        agent = services.agent_deregister(self.owned(), actor=self.actor)
        message = f"Agent {agent.agent_id} deregistered successfully"
        return success(message=message, agent_id=agent.agent_id)

    def _found(self, query: dict[str, Any]) -> Rows:
        limit = min(query.get("limit", LARGEST), LARGEST)
        filters = {name: value for name, value in query.items() if name != "limit"}
        return self._shown(discovery.discover(**filters)[:limit])

    def _filters(self, asked: dict[str, Any]) -> dict[str, Any]:
        form = inputs.AgentDiscoverInput(data=asked)
        form.is_valid(raise_exception=True)
        return {name: value for name, value in form.validated_data.items() if name != "limit"}

    def _shown(self, agents: Any) -> Rows:
        return list(self.get_serializer(agents, many=True).data)


class RegistryStatsView(ApiView):
    """`/registry/stats`."""

    access = {"get": "agent:view"}

    def get(self, request: Request) -> Response:
        """How many agents there are, of which kind, and in which state."""
        return success(stats=discovery.stats(), timestamp=now())


def _from_query(request: Request) -> dict[str, Any]:
    """Filters of a query string; lists are repeated or separated by commas."""
    asked: dict[str, Any] = request.query_params.dict()
    for name in LISTS:
        if name in asked:
            texts = request.query_params.getlist(name)
            asked[name] = [word for text in texts for word in text.split(",") if word]
    return asked


coordinator.register("agents", AgentViewSet)
coordinator.view("registry/stats", RegistryStatsView.as_view())
