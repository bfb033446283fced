"""What the task routes of both APIs do alike: find, authorise, and the calls under a lease."""

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.common import access
from platform_site.common.api.viewsets import Access
from platform_site.common.errors import Missing
from platform_site.common.principals import Principal
from registry.identity import require_may_act_as
from tasks import services
from tasks.api import inputs
from tasks.models import Lease, Task, TaskDependency
from tasks.refusals import LeaseLost

LEASE_CALLS: Access = {
    "heartbeat": services.task_heartbeat,
    "complete": services.tasks_complete,
    "fail": services.task_fail,
    "release": services.task_release,
    "wait": services.task_wait,
    "confirm_cancel": services.task_confirm_cancel,
}


def concerning(principal: Principal) -> Q:
    """The tasks that concern an agent: its own submissions, those for it, those it has or had."""
    own = Q(submitted_by=principal.actor)
    if not principal.agent_id:
        return own
    held = Lease.objects.filter(agent__agent_id=principal.agent_id).values("task")
    return own | Q(agent_id=principal.agent_id) | Q(pk__in=held)


class TaskEdge:
    """Finds tasks by their id, within the caller's reach."""

    not_found = "Task not found"
    principal: Principal
    actor: str
    request: Any
    validated: Callable[..., dict[str, Any]]
    get_object: Callable[[], Task]

    def get_queryset(self) -> QuerySet[Task]:
        """Newest first, with the dependencies that are still open."""
        waits_for = TaskDependency.objects.exclude(on__status=Task.Status.COMPLETED)
        return Task.objects.prefetch_related(
            Prefetch("dependencies", queryset=waits_for, to_attr="open_dependencies")
        )

    def find(self, key: str) -> Task | None:
        """The task of that id, if the caller's right reaches it."""
        rows: QuerySet[Task] = self.get_queryset().filter(pk=key)
        reach = getattr(self.request, "reach", access.ALL)
        if reach == access.PARTY:
            rows = rows.filter(concerning(self.principal))
        elif reach == access.OWN:
            rows = rows.filter(submitted_by=self.principal.actor)
        return rows.first()

    def under_lease(
        self, service: Callable[..., dict[str, Any]], shape: type[inputs.FenceInput]
    ) -> Response:
        """Call a service for the holder of the lease. Raises Missing, LeaseLost, Forbidden."""
        fields = self.validated(shape)
        task = Task.objects.filter(pk=self.kwargs["pk"]).first()  # type: ignore[attr-defined]  # the view's
        if task is None:
            raise Missing(self.not_found)
        leases = Lease.objects.select_related("agent")
        lease = leases.filter(pk=fields["lease_id"], task=task).first()
        if lease is None:
            raise LeaseLost.of(task)
        require_may_act_as(self.principal, lease.agent.agent_id)
        return Response(service(task, **fields, actor=self.actor))


class LeaseCalls(TaskEdge):
    """`/tasks/{id}/heartbeat`, `complete`, `fail`, `release`, `wait`, `confirm-cancel`."""

    @extend_schema(request=inputs.TaskHeartbeatInput)
    @action(detail=True, methods=["post"])
    def heartbeat(self, request: Request, pk: str) -> Response:
        """Renew the lease and say how far the work is."""
        return self.under_lease(services.task_heartbeat, inputs.TaskHeartbeatInput)

    @extend_schema(request=inputs.TaskCompleteInput)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """The work is done; repeating the call gets the same answer."""
        return self.under_lease(services.task_complete, inputs.TaskCompleteInput)

    @extend_schema(request=inputs.TaskFailInput)
    @action(detail=True, methods=["post"])
    def fail(self, request: Request, pk: str) -> Response:
        """The work said no; repeating the call gets the same answer."""
        return self.under_lease(services.task_fail, inputs.TaskFailInput)

    @extend_schema(request=inputs.TaskReleaseInput)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Give the task back, its attempt not spent."""
        return self.under_lease(services.task_release, inputs.TaskReleaseInput)

    @extend_schema(request=inputs.TaskWaitInput)
    @action(detail=True, methods=["post"])
    def wait(self, request: Request, pk: str) -> Response:
        """The work needs an answer; the slot is free meanwhile."""
        return self.under_lease(services.task_wait, inputs.TaskWaitInput)

    @extend_schema(request=inputs.TaskConfirmCancelInput)
    @action(detail=True, methods=["post"], url_path="confirm-cancel")
    def confirm_cancel(self, request: Request, pk: str) -> Response:
        """The worker has stopped as it was asked to."""
        return self.under_lease(services.task_confirm_cancel, inputs.TaskConfirmCancelInput)
