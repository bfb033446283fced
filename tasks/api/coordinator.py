"""Tasks in the Coordinator API."""

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common.api import ApiViewSet, Input, coordinator
from platform_site.common.json import instant
from tasks import figures, services
from tasks.api import agents
from tasks.api.edge import LEASE_CALLS, LeaseCalls
from tasks.api.inputs import Payload, ReasonInput, Words
from tasks.api.reserved import require_free
from tasks.api.shapes import TaskSerializer, coordinator_task
from tasks.explain import explain
from tasks.priorities import number_of


class RequirementsInput(Input):
    """What of `requirements` binds; other keys are kept and passed on."""

    capabilities = Words()
    services = Words()
    agent_type = serializers.CharField(
        max_length=40, required=False, allow_blank=True, allow_null=True
    )
    min_health_score = serializers.FloatField(
        min_value=0, max_value=1, required=False, allow_null=True
    )


class TaskDataInput(Input):
    """What of `task_data` has a meaning here; all of it is the payload."""

    title = serializers.CharField(max_length=300, required=False, allow_blank=True)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    task_type = serializers.CharField(max_length=120, required=False, allow_blank=True)
    task_id = serializers.CharField(max_length=200, required=False, allow_null=True)
    required_capabilities = Words()


class SubmitInput(Input):
    """POST /tasks/submit."""

    task_data = Payload()
    priority = serializers.JSONField(default="normal")  # type: ignore[arg-type]  # any JSON
    requirements = serializers.DictField(required=False, allow_null=True)
    chain_id = serializers.CharField(
        max_length=200, required=False, allow_null=True, allow_blank=True
    )
    payment = serializers.JSONField(required=False, allow_null=True)

    def validate_task_data(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("task_data must be an object.")
        if value.get("payment") is not None:
            raise serializers.ValidationError("Payments for tasks are not supported.")
        return value

    def validate_payment(self, value: Any) -> Any:
        if value is not None:
            raise serializers.ValidationError("Payments for tasks are not supported.")
        return value

    def validate_priority(self, value: Any) -> str:
        if not isinstance(value, str):
            raise serializers.ValidationError("A priority is a word: low, normal, high, …")
        number_of(value)
        return value


class TaskViewSet(LeaseCalls, ApiViewSet):
    """`/tasks`."""

    serializer_class = TaskSerializer
    access = {
        "retrieve": "task:view",
        "submit": services.task_submit,
        "status": "queue:view",
        "queues": "queue:view",
        "queues_stats": "queue:view",
        "explain": "task:view",
        "cancel": services.task_cancel,
        **LEASE_CALLS,
    }

    @extend_schema(request=SubmitInput)
    @action(detail=False, methods=["post"])
    def submit(self, request: Request) -> HttpResponseBase:
        """Submit a task for the agents to take."""
        fields = self.validated(SubmitInput)
        return self.once(lambda: self._submitted(fields))

    @action(detail=False)
    def status(self, request: Request) -> Response:
        """How much was distributed and how it went."""
        return _success(stats=figures.distribution_stats())

    @action(detail=False)
    def queues(self, request: Request) -> Response:
        """Pending tasks of each band."""
        return _success(queue_sizes=figures.queue_sizes())

    @action(detail=False, url_path="queues/stats")
    def queues_stats(self, request: Request) -> Response:
        """Pending tasks of each band, and how distribution went."""
        stats = figures.distribution_stats()
        return _success(queue_sizes=stats["queue_sizes"], distribution_stats=stats)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One task."""
        return _success(task=coordinator_task(self.get_object()))

    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Response:
        """Why the task is where it is, and for each agent the first thing in its way."""
        return Response(explain(self.get_object()))

    @extend_schema(request=ReasonInput)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel at once, or ask the agent that holds the task to stop."""
        fields = self.validated(ReasonInput)
        task = services.task_cancel(self.get_object(), **fields, actor=self.actor)
        return _success(task=coordinator_task(self.get_queryset().get(pk=task.pk)))

    def _submitted(self, fields: dict[str, Any]) -> Response:
        task = services.task_submit(**_wishes(fields), actor=self.actor)
        return Response(
            {
                "status": "success",
                "message": "Task submitted successfully",
                "task_id": fields["task_data"].get("task_id") or task.pk,
                "priority": fields["priority"],
                "submitted_at": instant(task.created_at),
                "chain_id": fields.get("chain_id"),
                "escrow_id": None,
            }
        )


def _wishes(fields: dict[str, Any]) -> dict[str, Any]:
    """What `task_submit` takes, from the words of this API. Raises Invalid."""
    requirements = fields.get("requirements") or {}
    demands = _checked(RequirementsInput, "requirements", requirements)
    data = _checked(TaskDataInput, "task_data", _id_as_text(fields["task_data"]))
    capabilities = [*demands.get("capabilities", []), *data.get("required_capabilities", [])]
    wishes = {
        "title": data.get("title") or data.get("task_type") or "Task",
        "description": data.get("description", ""),
        "task_type": data.get("task_type", ""),
        "payload": fields["task_data"],
        "requirements": requirements,
        "required_capabilities": list(dict.fromkeys(capabilities)),
        "services": demands.get("services", []),
        "agent_type": demands.get("agent_type") or "",
        "min_health": demands.get("min_health_score") or 0,
        "priority": number_of(fields["priority"]),
        "priority_word": fields["priority"],
        "metadata": {"chain_id": fields["chain_id"]} if fields.get("chain_id") else {},
    }
    require_free(wishes)
    return {**wishes, "task_id": data["task_id"]} if data.get("task_id") else wishes


def _id_as_text(data: dict[str, Any]) -> dict[str, Any]:
    """Clients number their tasks: 77 and "77" are one id."""
    task_id = data.get("task_id")
    is_number = isinstance(task_id, int) and not isinstance(task_id, bool)
    return {**data, "task_id": str(task_id)} if is_number else data


def _checked(shape: type[Input], name: str, value: dict[str, Any]) -> dict[str, Any]:
    form = shape(data=value)
    if not form.is_valid():
        raise serializers.ValidationError({name: form.errors})
    fields: dict[str, Any] = form.validated_data
    return fields


def _success(**facts: Any) -> Response:
    """The envelope of this API."""
    return Response({"status": "success", **facts, "timestamp": instant(timezone.now())})


coordinator.register("tasks", TaskViewSet)
agents.register(coordinator)
