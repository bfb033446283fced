"""Running one claimed task: the handler, and what is to be said about its outcome."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from platform_site.common.context import tracing
from platform_site.common.errors import Refusal, StaleState, Unavailable
from tasks.handlers import Handler, Later, discover
from tasks.held import HeldTask
from tasks.models import Task
from tasks.services import Report, task_fail, task_release, tasks_complete

TELL_WITHIN_S = 20  # how long a report waits for a database that is away
TELL_AGAIN_S = 0.5
MESSAGE_LENGTH = 2000


class Outcome:
    """What a handler came to: a result, or how the task is given back or failed."""

    def __init__(self, service: Callable[..., Any] | None, **facts: Any) -> None:
        self.service = service
        self.facts = facts

    @property
    def is_result(self) -> bool:
        """The work is done; it may be told together with others."""
        return self.service is None


def execute(held: HeldTask) -> Outcome:
    """Run the handler of a claimed task; a mistake in it is an outcome too."""
    task, log = held.task, agent_log(held)
    started = time.monotonic()
    with tracing(task.trace_id, cause=f"task:{task.pk}", depth=task.causation_depth + 1):
        outcome = _work(held, log)
    took_ms = round((time.monotonic() - started) * 1000)
    facts = {"task_id": task.pk, "task_type": task.task_type, "attempt": held.attempt}
    log.info("%s", task.title, extra={**facts, "took_ms": took_ms, "done": outcome.is_result})
    return outcome


def agent_log(held: HeldTask) -> logging.Logger:
    """The log of the agent that holds the task, which has a file of its own."""
    return logging.getLogger(f"agents.{held.agent_id}")


def handler_of(task: Task) -> Handler | None:
    """The function that does a task: named by its type, or by the capability a job asks for."""
    handlers = discover()
    names = [task.task_type, *task.required_capabilities]
    return next((handlers[name] for name in names if name in handlers), None)


def tell(held: HeldTask, outcome: Outcome) -> None:
    """Say under the lease that a task failed or is given back."""
    task = held.task
    fence = {"lease_id": held.lease_id, "lease_epoch": held.lease_epoch, "actor": held.agent_id}
    service = outcome.service
    assert service is not None  # noqa: S101 (results go to tell_results)
    with tracing(task.trace_id, cause=f"task:{task.pk}", depth=task.causation_depth + 1):
        _insist(held, lambda: service(task, **fence, **outcome.facts))


def tell_results(done: Sequence[tuple[HeldTask, Outcome]]) -> None:
    """Say under their leases that these tasks of one agent are completed, in one transaction."""
    if not done:
        return
    reports = [
        Report(held.task.pk, held.lease_id, held.lease_epoch, outcome.facts["result"])
        for held, outcome in done
    ]
    first, _ = done[0]
    task = first.task
    with tracing(task.trace_id if len(done) == 1 else "", depth=task.causation_depth + 1):
        answers = _insist(first, lambda: tasks_complete(reports, actor=first.agent_id)) or []
    for (held, _), answer in zip(done, answers, strict=False):
        if isinstance(answer, Refusal):
            agent_log(held).warning("%s: %s", held.task.title, answer.detail)


def _work(held: HeldTask, log: logging.Logger) -> Outcome:
    handler = handler_of(held.task)
    if handler is None:
        known = f"The agent knows no work of the type {held.task.task_type!r}."
        error = {"type": "UnknownWork", "message": known}
        return Outcome(task_fail, error=error, retryable=False)
    try:
        result = handler.function(held.task.payload, actor=held.agent_id)
    except Later as later:
        return Outcome(task_release, delay_s=later.after_s, reason=later.reason)
    except Refusal as refusal:
        log.info("%s refused: %s", handler.name, refusal.detail, extra={"task_id": held.task.pk})
        return _refused(refusal)
    except Exception as error:
        log.exception("%s failed.", handler.name, extra={"task_id": held.task.pk})
        if isinstance(error, DatabaseError):
            connection.close()
        message = str(error)[:MESSAGE_LENGTH]
        return Outcome(task_fail, error={"type": type(error).__name__, "message": message})
    return Outcome(None, result=result or {})


def _refused(refusal: Refusal) -> Outcome:
    """A refusal is an answer: trying again helps only where somebody else was in the way."""
    error = {"type": type(refusal).__name__, "message": refusal.detail, "code": refusal.code}
    retryable = isinstance(refusal, (StaleState, Unavailable))
    facts: dict[str, Any] = {"error": error, "retryable": retryable}
    if isinstance(refusal, Unavailable):
        facts["retry_after_s"] = refusal.retry_after_s
    return Outcome(task_fail, **facts)


def _insist(held: HeldTask, say: Callable[[], Any]) -> Any:
    """Report, again and again while the database is away; a lost lease is somebody else's now."""
    until = time.monotonic() + TELL_WITHIN_S
    while True:
        try:
            return say()
        except Refusal as refusal:
            agent_log(held).warning("%s: %s", held.task.title, refusal.detail)
            return None
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() > until:
                agent_log(held).warning("%s could not be reported: %s", held.task.title, error)
                return None
            time.sleep(TELL_AGAIN_S)
