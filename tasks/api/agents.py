"""What an agent does with the queue: claim, recover, complete many; the same in both APIs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.bell import TASKS
from messaging.longpoll import poll_again
from platform_site.common import access
from platform_site.common.api import ApiView
from platform_site.common.api.pages import platform_window
from platform_site.common.api.routers import ApiRouter
from platform_site.common.errors import Missing, Refusal
from registry.discovery import registered
from registry.identity import require_may_act_as
from registry.models import Agent
from tasks import services
from tasks.api import inputs
from tasks.api.edge import TaskEdge, concerning
from tasks.api.shapes import claimed_task, platform_task
from tasks.services import Report
from tasks.services.recover import Holding


class AgentView(ApiView):
    """A route below one agent."""

    def agent(self, agent_id: str) -> Agent:
        """The agent in the address. Raises Missing."""
        agent = registered().select_related("presence").filter(agent_id=agent_id).first()
        if agent is None:
            raise Missing("Agent not found")
        return agent

    def acting(self, agent_id: str) -> Agent:
        """The same, if the caller may act as it. Raises Missing, Forbidden."""
        agent = self.agent(agent_id)
        require_may_act_as(self.principal, agent_id)
        return agent


class AgentClaimView(AgentView):
    """`/agents/{id}/claim`."""

    access = {"post": services.task_claim}

    @extend_schema(request=inputs.ClaimInput)
    def post(self, request: Request, agent_id: str) -> Any:
        """Take work under leases; with nothing to take, wait for it and then answer 204."""
        agent, asked = self.acting(agent_id), self.validated(inputs.ClaimInput)
        claim = services.task_claim(
            agent,
            maximum=asked["max"],
            capabilities=asked.get("capabilities"),
            incarnation=asked.get("incarnation"),
            wait_s=asked["wait_s"],
            actor=self.actor,
        )
        if claim.tasks:
            return Response({"tasks": [claimed_task(item) for item in claim.tasks]})
        empty = Response(status=204, headers={"X-Claim-Reason": claim.reason})
        return poll_again(empty, TASKS, asked["wait_s"]) if asked["wait_s"] else empty


class AgentRecoverView(AgentView):
    """`/agents/{id}/recover`."""

    access = {"post": services.tasks_recover}

    @extend_schema(request=inputs.RecoverInput)
    def post(self, request: Request, agent_id: str) -> Response:
        """At process start: say what is still held; everything else goes back to the queue."""
        agent, asked = self.acting(agent_id), self.validated(inputs.RecoverInput)
        results = services.tasks_recover(
            agent,
            holding=[Holding(**row) for row in asked["holding"]],
            incarnation=asked.get("incarnation"),
            actor=self.actor,
        )
        return Response({"results": results})


class AgentCompleteView(AgentView):
    """`/agents/{id}/complete`."""

    access = {"post": services.tasks_complete}

    @extend_schema(request=inputs.CompleteManyInput)
    def post(self, request: Request, agent_id: str) -> Response:
        """Complete up to 50 tasks in one transaction; each row has its own outcome."""
        agent, asked = self.acting(agent_id), self.validated(inputs.CompleteManyInput)
        reports = [Report(**row) for row in asked["results"]]
        outcomes = services.tasks_complete(reports, agent=agent, actor=self.actor)
        rows = [_outcome(*pair) for pair in zip(reports, outcomes, strict=True)]
        return Response({"results": rows})


class AgentTasksView(TaskEdge, AgentView):
    """`/agents/{id}/tasks`."""

    access = {"get": "task:view"}

    def get(self, request: Request, agent_id: str) -> Response:
        """The tasks that the agent has or had last, newest first."""
        agent = self.agent(agent_id)
        rows = self.get_queryset().filter(assigned_agent=agent.agent_id)
        if request.reach == access.PARTY:  # type: ignore[attr-defined]  # set by the gate
            rows = rows.filter(concerning(self.principal))
        if status := request.query_params.get("status_filter"):
            rows = rows.filter(status=status)
        window, total = platform_window(request), rows.order_by().count()
        shown = [platform_task(task) for task in rows[window.start : window.stop]]
        return Response(shown, headers=window.headers(request, total))


def register(router: ApiRouter) -> None:
    """The routes that both APIs have."""
    router.view(r"agents/(?P<agent_id>[^/]+)/claim", AgentClaimView.as_view())
    router.view(r"agents/(?P<agent_id>[^/]+)/recover", AgentRecoverView.as_view())
    router.view(r"agents/(?P<agent_id>[^/]+)/complete", AgentCompleteView.as_view())


def _outcome(report: Report, outcome: dict[str, Any] | Refusal) -> dict[str, Any]:
    if isinstance(outcome, Refusal):
        facts = {"detail": outcome.detail, "code": outcome.code, **outcome.facts}
        return {"task_id": report.task_id, "status": "error", **facts}
    return outcome
