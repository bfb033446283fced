"""Tasks in the Platform API."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common import access
from platform_site.common.api import PlatformViewSet, platform
from platform_site.common.api.errors import invalid
from platform_site.common.errors import Missing, Refusal
from tasks import services
from tasks.api import agents, inputs
from tasks.api.edge import LEASE_CALLS, LeaseCalls, concerning
from tasks.api.shapes import TaskSerializer, attempt_row, orphan_row, platform_task
from tasks.explain import explain
from tasks.feasibility import why_infeasible
from tasks.models import OrphanResult, Task, TaskClass

Rows = list[Any]  # `list` is a route below
GROUPS = {"in_progress": (Task.Status.ASSIGNED, Task.Status.RUNNING, Task.Status.WAITING)}


class TaskViewSet(LeaseCalls, PlatformViewSet):
    """`/api/v1/tasks`."""

    serializer_class = TaskSerializer
    access = {
        "list": "task:view",
        "retrieve": "task:view",
        "create": services.task_submit,
        "batch": services.tasks_submit,
        "partial_update": services.task_change,
        "update": services.task_change,
        "destroy": services.task_cancel,
        "cancel": services.task_cancel,
        "redrive": services.task_redrive,
        "answer": services.task_answer,
        "explain": "task:view",
        "attempts": "task:view",
        "orphans": "task:view",
        "accept": services.orphan_accept,
        "discard": services.orphan_discard,
        **LEASE_CALLS,
    }

    def list(self, request: Request) -> Response:
        """The tasks that the filters leave, newest first."""
        rows = _filtered(self.get_queryset(), request.query_params.dict())
        if request.reach == access.PARTY:  # type: ignore[attr-defined]  # set by the gate
            rows = rows.filter(concerning(self.principal))
        return self.page(rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        """One task."""
        return Response(platform_task(self.get_object()))

    @extend_schema(request=inputs.TaskInput)
    def create(self, request: Request) -> HttpResponseBase:
        """Submit a task."""
        fields = self.validated(inputs.TaskInput)
        wishes = self._wishes(fields)

        def answer() -> Response:
            task = services.task_submit(**wishes, actor=self.actor)
            if wishes.get("depends_on"):
                task = self.get_queryset().get(pk=task.pk)
            warning = why_infeasible(task.task_class) if task.is_open else ""
            return Response({**platform_task(task), "warnings": [warning] if warning else []})

        return self.once(answer, key=fields.get("idempotency_key", ""))

    @extend_schema(request=inputs.TaskBatchInput)
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> HttpResponseBase:
        """Submit many, at most 500; each row has its own outcome."""
        rows = self.validated(inputs.TaskBatchInput)["tasks"]
        return self.once(lambda: Response({"results": self._submitted(rows)}))

    @extend_schema(request=inputs.TaskChangeInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change priority, deadline or metadata while the task is open."""
        changes = self.validated(inputs.TaskChangeInput)
        return self.respond(services.task_change(self.get_object(), **changes, actor=self.actor))

    @extend_schema(request=inputs.TaskChangeInput)
    def update(self, request: Request, pk: str) -> Response:
        """The same as PATCH."""
        return self.partial_update(request, pk)

    @extend_schema(request=inputs.ReasonInput)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel at once, or ask the agent that holds the task to stop."""
        fields = self.validated(inputs.ReasonInput)
        return self.respond(services.task_cancel(self.get_object(), **fields, actor=self.actor))

    def destroy(self, request: Request, pk: str) -> Response:
        """The same as cancel."""
        return self.respond(services.task_cancel(self.get_object(), actor=self.actor))

    @extend_schema(request=inputs.TaskRedriveInput)
    @action(detail=True, methods=["post"])
    def redrive(self, request: Request, pk: str) -> Response:
        """Run a failed, expired or cancelled task again, perhaps with another payload or agent."""
        fields = self.validated(inputs.TaskRedriveInput)
        return self.respond(services.task_redrive(self.get_object(), **fields, actor=self.actor))

    @extend_schema(request=inputs.TaskAnswerInput)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        """Answer what a waiting task asked."""
        fields = self.validated(inputs.TaskAnswerInput)
        return self.respond(services.task_answer(self.get_object(), **fields, actor=self.actor))

    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Response:
        """Why the task is where it is, and for each agent the first thing in its way."""
        return Response(explain(self.get_object()))

    @action(detail=True)
    def attempts(self, request: Request, pk: str) -> Response:
        """Every start of the task."""
        rows = self.get_object().attempt_rows.select_related("agent")
        return Response([attempt_row(attempt) for attempt in rows])

    @action(detail=True)
    def orphans(self, request: Request, pk: str) -> Response:
        """Results that came under an outdated lease."""
        rows = self.get_object().orphans.select_related("agent")
        return Response([orphan_row(orphan) for orphan in rows])

    @extend_schema(request=inputs.OrphanInput)
    @action(detail=True, methods=["post"], url_path="orphans/(?P<number>[0-9]{1,9})/accept")
    def accept(self, request: Request, pk: str, number: str) -> Response:
        """The late result counts: it completes the failed or expired task."""
        fields = self.validated(inputs.OrphanInput)
        task = services.orphan_accept(self._orphan(number), **fields, actor=self.actor)
        return self.respond(task)

    @extend_schema(request=inputs.OrphanInput)
    @action(detail=True, methods=["post"], url_path="orphans/(?P<number>[0-9]{1,9})/discard")
    def discard(self, request: Request, pk: str, number: str) -> Response:
        """The late result counts for nothing."""
        fields = self.validated(inputs.OrphanInput)
        task = services.orphan_discard(self._orphan(number), **fields, actor=self.actor)
        return self.respond(task)

    def _orphan(self, number: str) -> OrphanResult:
        rows = OrphanResult.objects.select_related("task", "agent")
        orphan = rows.filter(task=self.get_object(), number=int(number)).first()
        if orphan is None:
            raise Missing("Late result not found")
        return orphan

    def _wishes(self, fields: dict[str, Any]) -> dict[str, Any]:
        """What is asked for. Raises Forbidden for passing the queue, which operators may."""
        if fields.get("preempt_queue"):
            self.principal.require("agent:control")
        return inputs.wishes_of(fields)

    def _submitted(self, rows: Rows) -> Rows:
        checked = [self._checked(row) for row in rows]
        good = [row for row in checked if "detail" not in row]
        outcomes = iter(services.tasks_submit(good, actor=self.actor))
        return [row if "detail" in row else _outcome(next(outcomes)) for row in checked]

    def _checked(self, row: Any) -> dict[str, Any]:
        """The wishes of one row of a batch, or its refusal."""
        form = inputs.TaskInput(data=row)
        try:
            form.is_valid(raise_exception=True)
            return self._wishes(form.validated_data)
        except ValidationError as error:
            return {"status": "error", **invalid(error.detail)}
        except Refusal as refusal:
            return _outcome(refusal)


def _outcome(outcome: Task | Refusal) -> dict[str, Any]:
    if isinstance(outcome, Task):
        return {"status": "success", "task": platform_task(outcome)}
    return {"status": "error", "detail": outcome.detail, "code": outcome.code, **outcome.facts}


def _filtered(rows: QuerySet[Task], asked: dict[str, str]) -> QuerySet[Task]:
    """The rows after the filters; a value that nothing has matches nothing."""
    if status := asked.get("status_filter"):
        rows = rows.filter(status__in=GROUPS.get(status, (status,)))
    if priority := asked.get("priority_filter"):
        is_number = priority.isascii() and priority.isdigit() and len(priority) < 3
        rows = rows.filter(priority=int(priority)) if is_number else rows.none()
    if agent := asked.get("agent_filter"):
        rows = rows.filter(assigned_agent=agent)
    if capability := asked.get("capability_filter"):
        # Few classes, many tasks; and SQLite cannot look into a JSON list.
        classes = TaskClass.objects.values_list("pk", "capabilities")
        having = [key for key, capabilities in classes if capability in capabilities]
        rows = rows.filter(task_class__in=having)
    if (dead := asked.get("dead_letter", "").lower()) in ("true", "1", "false", "0"):
        rows = rows.filter(dead_lettered_at__isnull=dead in ("false", "0"))
    return rows


platform.register("tasks", TaskViewSet)
agents.register(platform)
platform.view(r"agents/(?P<agent_id>[^/]+)/tasks", agents.AgentTasksView.as_view())
