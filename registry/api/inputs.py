"""The shapes that the agent routes take."""

from typing import Any

from rest_framework import serializers

from platform_site.common.api import Input

LARGEST_COUNT = 2**31 - 1


class Words(serializers.ListField):
    """Free words, such as capabilities."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.CharField(max_length=200)
        super().__init__(**{"child": child, "max_length": 200, "required": False, **kwargs})


class Figure(serializers.Field[Any, Any, Any, Any]):
    """A JSON number, kept as it was sent."""

    default_error_messages = {"invalid": "A number is required."}

    def to_internal_value(self, data: Any) -> int | float:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        number: int | float = data
        return number

    def to_representation(self, value: Any) -> Any:
        return value


def figures() -> serializers.DictField:
    """Load metrics: numbers by name."""
    return serializers.DictField(child=Figure(), required=False)


class AgentDeclarationInput(Input):
    """What an agent may say about itself in either API."""

    name = serializers.CharField(max_length=200, required=False)
    services = Words()
    tags = Words()
    endpoints = serializers.DictField(child=serializers.CharField(max_length=2000), required=False)
    resources = serializers.DictField(required=False)
    metadata = serializers.DictField(required=False)
    max_concurrency = serializers.IntegerField(min_value=1, max_value=100_000, required=False)
    weight = serializers.FloatField(min_value=0.01, max_value=100, required=False)
    ttl_s = serializers.IntegerField(min_value=5, max_value=3600, required=False)
    delivery = serializers.CharField(max_length=10, required=False)
    accept_any = serializers.BooleanField(required=False)
    status = serializers.CharField(max_length=20, required=False)
    instance_id = serializers.CharField(max_length=200, required=False)
    chain_id = serializers.CharField(
        max_length=200, required=False, allow_null=True, allow_blank=True
    )
    island_id = serializers.CharField(
        max_length=200, required=False, allow_null=True, allow_blank=True
    )
    issue_key = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> Any:
        # `endpoint` in the singular is what an older client of the Coordinator API sends.
        if isinstance(data, dict) and "endpoint" in data and "endpoints" not in data:
            data = {**data, "endpoints": {"http": data["endpoint"]}}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: "" if value is None else value for name, value in attrs.items()}


class PlatformAgentInput(AgentDeclarationInput):
    """POST /api/v1/agents."""

    agent_id = serializers.CharField(max_length=200, required=False, trim_whitespace=False)
    name = serializers.CharField(max_length=200)
    capabilities = Words(required=True)
    agent_type = serializers.CharField(max_length=20, required=False)


class CoordinatorAgentInput(AgentDeclarationInput):
    """POST /agents/register."""

    agent_id = serializers.CharField(max_length=200, trim_whitespace=False)
    agent_type = serializers.CharField(max_length=20)
    capabilities = Words()


class AgentChangeInput(Input):
    """PATCH /api/v1/agents/{id}."""

    name = serializers.CharField(max_length=200, required=False)
    tags = Words()
    weight = serializers.FloatField(min_value=0.01, max_value=100, required=False)
    max_concurrency = serializers.IntegerField(min_value=1, max_value=100_000, required=False)
    ttl_s = serializers.IntegerField(min_value=5, max_value=3600, required=False)
    delivery = serializers.CharField(max_length=10, required=False)
    resources = serializers.DictField(required=False)


class AgentHeartbeatInput(Input):
    """A heartbeat; an empty body is the usual one."""

    status = serializers.CharField(max_length=20, required=False)
    load_metrics = figures()
    incarnation = serializers.IntegerField(min_value=1, max_value=LARGEST_COUNT, required=False)


class AgentStatusInput(AgentHeartbeatInput):
    """PUT /agents/{id}/status."""

    status = serializers.CharField(max_length=20)


class AgentOverlayInput(Input):
    """POST /api/v1/agents/{id}/overlay; null lifts the overlay."""

    overlay = serializers.CharField(max_length=20, allow_null=True, allow_blank=True)
    reason = serializers.CharField(max_length=500)
    until = serializers.DateTimeField(required=False, allow_null=True)


class AgentDiscoverInput(Input):
    """Filters of discovery; unknown words match nobody."""

    agent_id = serializers.CharField(max_length=200, required=False, allow_blank=True)
    agent_type = serializers.CharField(max_length=200, required=False, allow_blank=True)
    status = serializers.CharField(max_length=200, required=False, allow_blank=True)
    capabilities = Words()
    services = Words()
    tags = Words()
    min_health_score = serializers.FloatField(required=False, allow_null=True)
    chain_id = serializers.CharField(
        max_length=200, required=False, allow_blank=True, allow_null=True
    )
    island_id = serializers.CharField(
        max_length=200, required=False, allow_blank=True, allow_null=True
    )
    limit = serializers.IntegerField(min_value=1, max_value=2**53, required=False)

    def to_internal_value(self, data: Any) -> Any:
        # Some clients wrap the filters, and send null for what they do not ask.
        if isinstance(data, dict) and isinstance(data.get("query"), dict):
            data = data["query"]
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return super().to_internal_value(data)
