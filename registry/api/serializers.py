"""The shapes in which the two APIs show an agent. Rows are read `with_health`."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from registry.health import parts_of
from registry.models import Agent


class _AgentSerializer(serializers.ModelSerializer[Agent]):
    """What both shapes share."""

    status = serializers.CharField(source="computed_status")
    last_heartbeat = serializers.DateTimeField(source="presence.last_seen_at")
    load_metrics = serializers.DictField(source="presence.load_metrics")
    version = serializers.CharField(source="release")
    overlay = serializers.SerializerMethodField()
    health_score = serializers.FloatField()
    health_parts = serializers.SerializerMethodField()
    in_flight = serializers.IntegerField()
    facts = serializers.SerializerMethodField()

    def get_overlay(self, agent: Agent) -> str | None:
        return agent.overlay or None

    def get_health_parts(self, agent: Agent) -> dict[str, float]:
        return parts_of(agent)

    def get_facts(self, agent: Any) -> dict[str, bool]:
        """Four facts that one word of status would mix up."""
        polling_until = agent.presence.polling_until
        return {
            "registered": agent.deregistered_at is None,
            "reachable": agent.silent_ttls < 1,
            "polling": polling_until is not None and polling_until > timezone.now(),
            "has_headroom": agent.free_slots > 0,
        }


OVERLAY = ("overlay_until", "overlay_reason", "overlay_set_by", "overlay_set_at")
POLICY = ("weight", "ttl_s", "delivery", "accept_any")


class PlatformAgentSerializer(_AgentSerializer):
    """Agent of the Platform API: the reference's keys first."""

    id = serializers.CharField(source="agent_id")
    created_at = serializers.DateTimeField(source="registered_at")

    class Meta:
        model = Agent
        fields = (
            *("id", "name", "capabilities", "resources", "metadata", "status", "created_at"),
            *("last_heartbeat", "agent_type", "services", "endpoints", "tags", "version"),
            *("overlay", "health_score", "health_parts", "load_metrics", "max_concurrency"),
            *("in_flight", "incarnation", "facts", *OVERLAY, *POLICY),
        )


class CoordinatorAgentSerializer(_AgentSerializer):
    """Agent of the Coordinator API: the reference's keys first."""

    registration_time = serializers.DateTimeField(source="registered_at")
    chain_id = serializers.SerializerMethodField()
    island_id = serializers.SerializerMethodField()

    class Meta:
        model = Agent
        fields = (
            *("agent_id", "agent_type", "status", "capabilities", "services", "endpoints"),
            *("metadata", "last_heartbeat", "registration_time", "load_metrics", "health_score"),
            *("version", "tags", "chain_id", "island_id", "name", "resources", "overlay"),
            *("health_parts", "max_concurrency", "in_flight", "incarnation", "facts"),
        )

    def get_chain_id(self, agent: Agent) -> str | None:
        return agent.chain_id or None

    def get_island_id(self, agent: Agent) -> str | None:
        return agent.island_id or None
