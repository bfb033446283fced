"""The fleet as clients of the Commerce API see it."""

from typing import Any

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.agents import BY_AGENT_ID
from ecommerce.gateway.names import agent_id_of, client_name
from platform_site.common.api import ApiViewSet, commerce
from platform_site.common.api.pages import commerce_window
from registry.discovery import count_by_status, registered
from registry.health import parts_of, with_health
from registry.models import Agent
from tasks.models import Task

# What this API says for each status of the registry.
HEALTH = {
    "active": "healthy",
    "busy": "healthy",
    "degraded": "warning",
    "maintenance": "warning",
    "error": "critical",
    "stale": "offline",
    "inactive": "offline",
}
OFFLINE = tuple(state for state, health in HEALTH.items() if health == "offline")


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """Agent of the Commerce API. What nobody measured or reported is null."""

    id = serializers.SerializerMethodField()
    port = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    health = serializers.CharField(source="health_status")
    health_status = serializers.CharField()
    last_check = serializers.DateTimeField(source="presence.last_seen_at")
    agent_name = serializers.CharField(source="name")
    version = serializers.CharField(source="release")
    category = serializers.SerializerMethodField()
    cpu_usage = serializers.SerializerMethodField()
    memory_usage = serializers.SerializerMethodField()
    response_time = serializers.SerializerMethodField()
    last_heartbeat = serializers.DateTimeField(source="presence.last_seen_at")
    active_tasks = serializers.IntegerField(source="in_flight")
    queue = serializers.IntegerField()
    error_rate = serializers.SerializerMethodField()
    builtin = serializers.SerializerMethodField()
    implemented = serializers.SerializerMethodField()
    state = serializers.CharField(source="computed_status")

    class Meta:
        model = Agent
        fields = (
            *("id", "name", "port", "status", "health", "last_check", "agent_id", "agent_name"),
            *("health_status", "version", "category", "capabilities", "cpu_usage", "memory_usage"),
            *("response_time", "last_heartbeat", "active_tasks", "queue", "error_rate", "builtin"),
            *("implemented", "state"),
        )

    def get_id(self, agent: Agent) -> str:
        return client_name(agent.agent_id)

    def get_port(self, agent: Agent) -> int | None:
        spec = BY_AGENT_ID.get(agent.agent_id)
        return spec.port if spec else None

    def get_status(self, agent: Any) -> str:
        return "offline" if agent.computed_status in OFFLINE else "online"

    def get_category(self, agent: Agent) -> str | None:
        spec = BY_AGENT_ID.get(agent.agent_id)
        return str(spec.category) if spec else None

    def get_cpu_usage(self, agent: Agent) -> float | None:
        """As the agent reported it."""
        return agent.presence.load_metrics.get("cpu_usage")

    def get_memory_usage(self, agent: Agent) -> float | None:
        """As the agent reported it."""
        return agent.presence.load_metrics.get("memory_usage")

    def get_response_time(self, agent: Agent) -> float | None:
        """Milliseconds that its latest attempts took on average."""
        average_s = agent.presence.average_s
        return None if average_s is None else round(average_s * 1000, 1)

    def get_error_rate(self, agent: Agent) -> float | None:
        """Share of its latest attempts that failed or were lost."""
        success = agent.presence.success
        return None if success is None else round(1 - success, 4)

    def get_builtin(self, agent: Agent) -> bool:
        return agent.agent_id in BY_AGENT_ID

    def get_implemented(self, agent: Agent) -> bool:
        spec = BY_AGENT_ID.get(agent.agent_id)
        return spec is None or spec.is_implemented


class AgentViewSet(ApiViewSet):
    """`/api/agents` on 8000 and 8100."""

    serializer_class = AgentSerializer
    access = {"list": "agent:view", "retrieve": "agent:view", "stats": "agent:view"}
    not_found = "Agent not found"

    def get_queryset(self) -> QuerySet[Any]:
        """All agents, the built-in ones as well as outside ones, oldest first."""
        queued = Task.objects.filter(agent_id=OuterRef("agent_id"), status=Task.Status.PENDING)
        counted = queued.order_by().values("agent_id").annotate(n=Count("pk")).values("n")
        health = [When(computed_status=state, then=Value(word)) for state, word in HEALTH.items()]
        return (
            with_health(registered())
            .select_related("presence")
            .annotate(queue=Coalesce(Subquery(counted), 0), health_status=Case(*health))
            .order_by("pk")
        )

    def find(self, key: str) -> Any:
        """The agent by slug, agent id or the name that clients use."""
        return self.get_queryset().filter(agent_id=agent_id_of(key)).first()

    def list(self, request: Request) -> Response:
        """One page of the fleet."""
        window = commerce_window(request, default=50, largest=100)
        total = registered().count()
        agents = self.get_queryset()[window.start : window.stop]
        shown = self.get_serializer(agents, many=True).data
        return Response({"agents": shown, "total": total, "pagination": window.envelope(total)})

    def retrieve(self, request: Request, pk: str) -> Response:
        """One agent, with its health in parts."""
        agent = self.get_object()
        health = {
            "status": agent.health_status,
            "score": agent.health_score,
            "parts": parts_of(agent),
            "last_probe": None,  # nobody probes yet
        }
        return Response({**self.get_serializer(agent).data, "health": health})

    @action(detail=False)
    def stats(self, request: Request) -> Response:
        """How many agents there are, and how many of them can be reached."""
        return Response({**fleet(), "uptime_percentage": None})  # null until agents are probed


def fleet() -> dict[str, int]:
    """Agents in all, online and offline."""
    counts = count_by_status(registered())
    total, offline = sum(counts.values()), sum(counts.get(state, 0) for state in OFFLINE)
    return {"total": total, "online": total - offline, "offline": offline}


commerce.register("agents", AgentViewSet)
