"""The shapes that the task routes take."""

from typing import Any

import orjson
from rest_framework import serializers

from platform_site.common.api import Input
from platform_site.common.errors import Refusal
from tasks.api.reserved import require_free
from tasks.models import Task

INTEGER = 2**31 - 1
PAYLOAD_LIMIT = 1024 * 1024
YEAR_S = 366 * 24 * 3600
POLICY = (
    *("max_attempts", "max_deliveries", "lease_s", "execution_timeout_s", "start_timeout_s"),
    *("queue_ttl_s", "cancel_grace_s", "on_dependency_failure", "on_infeasible", "retry"),
)


class PayloadTooLarge(Refusal):
    """The payload of a task is over its limit."""

    status = 413
    code = "too_large"


class Words(serializers.ListField):
    """Free words, such as capabilities."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.CharField(max_length=200)
        super().__init__(**{"child": child, "max_length": 200, "required": False, **kwargs})


class Payload(serializers.JSONField):
    """Any JSON up to 1 MiB."""

    def to_internal_value(self, data: Any) -> Any:
        if len(orjson.dumps(data)) > PAYLOAD_LIMIT:
            message = f"The payload is over the limit of {PAYLOAD_LIMIT} bytes; send a reference."
            raise PayloadTooLarge(message, limit=PAYLOAD_LIMIT)
        return data


def count(smallest: int = 1, largest: int = INTEGER, **kwargs: Any) -> serializers.IntegerField:
    """A whole number within limits, optional."""
    return serializers.IntegerField(
        min_value=smallest, max_value=largest, **{"required": False, **kwargs}
    )


def word(*choices: str) -> serializers.ChoiceField:
    """One of a few words, optional."""
    return serializers.ChoiceField(choices=choices, required=False)


class RetryInput(Input):
    """How the time between attempts grows."""

    base_s = serializers.FloatField(min_value=0, max_value=YEAR_S, required=False)
    factor = serializers.FloatField(min_value=1, max_value=100, required=False)
    cap_s = serializers.FloatField(min_value=0, max_value=YEAR_S, required=False)
    jitter = serializers.FloatField(min_value=0, max_value=1, required=False)
    non_retryable = Words()


class UniqueInput(Input):
    """Only one open task of this key."""

    key = serializers.CharField(max_length=250)
    scope = word(*Task.UniqueScope.values)
    ttl_s = count(1, YEAR_S)
    on_conflict = word("return_existing", "replace_payload", "reject")


class PolicyInput(Input):
    """The policies that a submitter may set."""

    max_attempts = count(1, 1000)
    max_deliveries = count(1, 1000)
    lease_s = count(10, 3600)
    execution_timeout_s = count(1, YEAR_S)
    start_timeout_s = count(1, 3600)
    queue_ttl_s = count(1, YEAR_S)
    cancel_grace_s = count(0, 3600)
    on_dependency_failure = word("cancel", "run", "wait")
    on_infeasible = word("wait", "reject")
    retry = RetryInput(required=False)


class TaskInput(PolicyInput):
    """POST /api/v1/tasks."""

    title = serializers.CharField(max_length=300)
    description = serializers.CharField(max_length=20_000, allow_blank=True)
    priority = count(1, 10, default=1)
    required_capabilities = Words()
    resources = serializers.DictField(required=False)
    deadline = serializers.DateTimeField(required=False, allow_null=True)
    metadata = serializers.DictField(required=False)
    payload = Payload(required=False)
    task_type = serializers.CharField(max_length=120, required=False, allow_blank=True)
    task_id = serializers.CharField(max_length=200, required=False)
    agent_id = serializers.CharField(max_length=200, required=False, allow_blank=True)
    agent_type = serializers.CharField(max_length=40, required=False, allow_blank=True)
    services = Words()
    min_health = serializers.FloatField(min_value=0, max_value=1, required=False)
    run_at = serializers.DateTimeField(required=False, allow_null=True)
    depends_on = Words()
    writes = Words()
    unique = UniqueInput(required=False)
    idempotency_key = serializers.CharField(max_length=255, required=False)
    concurrency_key = serializers.CharField(max_length=250, required=False, allow_blank=True)
    concurrency_limit = count(1)
    preempt_queue = serializers.BooleanField(required=False)
    reservations = serializers.ListField(required=False)

    def validate_reservations(self, value: list[Any]) -> list[Any]:
        if value:
            raise serializers.ValidationError("Shared resources cannot be reserved yet.")
        return value

    def validate_task_id(self, value: str) -> str:
        if "/" in value or not value.isprintable():
            raise serializers.ValidationError("An id is printable and has no slash.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("preempt_queue") and attrs["priority"] != 10:
            raise serializers.ValidationError(
                {"preempt_queue": ["Only a task of priority 10 may pass the whole queue."]}
            )
        return attrs


def wishes_of(fields: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `task_submit` from a validated TaskInput. Raises Invalid."""
    wishes = {name: value for name, value in fields.items() if name not in _NOT_PASSED}
    wishes["policy"] = {name: fields[name] for name in POLICY if name in fields}
    wishes["preempt"] = fields.get("preempt_queue", False)
    unique = fields.get("unique", {})
    renamed = {"key": "unique_key", "scope": "unique_scope", "ttl_s": "unique_ttl_s"}
    wishes.update({renamed.get(name, name): value for name, value in unique.items()})
    require_free(wishes)
    return wishes


_NOT_PASSED = {*POLICY, "preempt_queue", "unique", "idempotency_key", "reservations"}


class TaskBatchInput(Input):
    """POST /api/v1/tasks/batch."""

    tasks = serializers.ListField(max_length=500)


class TaskChangeInput(Input):
    """PATCH /api/v1/tasks/{id}."""

    priority = count(1, 10)
    deadline = serializers.DateTimeField(required=False, allow_null=True)
    metadata = serializers.DictField(required=False)


class ReasonInput(Input):
    """Why."""

    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class OrphanInput(Input):
    """What a person decides about a late result, and why."""

    reason = serializers.CharField(max_length=2000)


class TaskRedriveInput(ReasonInput):
    """POST /api/v1/tasks/{id}/redrive."""

    payload = Payload(required=False)
    agent_id = serializers.CharField(max_length=200, required=False, allow_blank=True)


class TaskAnswerInput(Input):
    """POST /api/v1/tasks/{id}/answer."""

    answer = Payload(required=True, allow_null=True)


class FenceInput(Input):
    """What every call under a lease shows."""

    lease_id = serializers.CharField(max_length=40)
    lease_epoch = count(0, required=True)


class TaskHeartbeatInput(FenceInput):
    progress = serializers.FloatField(min_value=0, max_value=1, required=False, allow_null=True)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    checkpoint = Payload(required=False, allow_null=True)


class TaskCompleteInput(FenceInput):
    result = Payload(required=False, allow_null=True)


class ErrorField(serializers.Field[Any, Any, Any, Any]):
    """`{type, message}`, or just the message."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, str):
            return {"type": "error", "message": data[:20_000]}
        if not isinstance(data, dict):
            raise serializers.ValidationError("An error is {type, message}.")
        if len(orjson.dumps(data)) > PAYLOAD_LIMIT:
            raise PayloadTooLarge("The error is over the limit.", limit=PAYLOAD_LIMIT)
        return {"type": "error", "message": "", **data}

    def to_representation(self, value: Any) -> Any:
        return value


class TaskFailInput(FenceInput):
    error = ErrorField(required=False, default=lambda: {"type": "error", "message": ""})
    retryable = serializers.BooleanField(default=True)
    retry_after_s = serializers.FloatField(
        min_value=0, max_value=YEAR_S, required=False, allow_null=True
    )


class TaskReleaseInput(FenceInput):
    delay_s = serializers.FloatField(min_value=0, max_value=YEAR_S, default=0)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class TaskWaitInput(FenceInput):
    reason = serializers.CharField(max_length=20)
    prompt = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    form = Payload(required=False, allow_null=True)


class TaskConfirmCancelInput(FenceInput):
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class ClaimInput(Input):
    """POST /api/v1/agents/{id}/claim."""

    max = count(1, 50, default=1)
    wait_s = serializers.FloatField(min_value=0, max_value=60, default=20)
    capabilities = Words(allow_null=True)
    incarnation = count(0, allow_null=True)


class HoldingInput(Input):
    """A task that a worker remembers, and what became of it if it knows."""

    task_id = serializers.CharField(max_length=200)
    lease_epoch = count(0, required=True)
    outcome = Payload(required=False, allow_null=True)

    def validate_outcome(self, value: Any) -> Any:
        if value is not None and not isinstance(value, dict):
            raise serializers.ValidationError("An outcome is {status, result or error}.")
        return value


class RecoverInput(Input):
    """POST /api/v1/agents/{id}/recover."""

    incarnation = count(0, allow_null=True)
    holding = HoldingInput(many=True)


class ResultInput(TaskCompleteInput):
    """One of many completed tasks."""

    task_id = serializers.CharField(max_length=200)


class CompleteManyInput(Input):
    """POST /api/v1/agents/{id}/complete."""

    results = ResultInput(many=True, max_length=50)  # type: ignore[call-arg]  # of many=True
