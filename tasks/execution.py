"""Running one claimed task: the handler, and what is said about its outcome under the lease."""

import logging
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from platform_site.common.context import tracing
from platform_site.common.errors import Refusal, StaleState, Unavailable
from tasks.handlers import Handler, Later, discover
from tasks.held import HeldTask
from tasks.models import Task
from tasks.services import task_complete, task_fail, task_release

TELL_WITHIN_S = 20  # how long a report waits for a database that is away
TELL_AGAIN_S = 0.5
MESSAGE_LENGTH = 2000


def execute(held: HeldTask) -> None:
    """Run the handler of a claimed task and report under its lease; its mistakes are failures."""
    task = held.task
    log = logging.getLogger(f"agents.{held.agent_id}")
    facts = {"task_id": task.pk, "task_type": task.task_type, "attempt": held.attempt}
    started = time.monotonic()
    with tracing(task.trace_id, cause=f"task:{task.pk}", depth=task.causation_depth + 1):
        report = _work(held, log)
        said = _tell(held, report, log)
    took_ms = round((time.monotonic() - started) * 1000)
    log.info("%s: %s", task.title, said, extra={**facts, "took_ms": took_ms})


def _work(held: HeldTask, log: logging.Logger) -> "Report":
    handler = handler_of(held.task)
    if handler is None:
        known = f"The agent knows no work of the type {held.task.task_type!r}."
        return Report("fail", error={"type": "UnknownWork", "message": known}, retryable=False)
    try:
        result = handler.function(held.task.payload, actor=held.agent_id)
    except Later as later:
        return Report("release", delay_s=later.after_s, reason=later.reason)
    except Refusal as refusal:
        return _refused(refusal)
    except Exception as error:
        log.exception("%s failed.", handler.name, extra={"task_id": held.task.pk})
        if isinstance(error, DatabaseError):
            connection.close()
        message = str(error)[:MESSAGE_LENGTH]
        return Report("fail", error={"type": type(error).__name__, "message": message})
    return Report("complete", result=result or {})


def handler_of(task: Task) -> Handler | None:
    """The function that does a task: named by its type, or by the capability a job asks for."""
    handlers = discover()
    names = [task.task_type, *task.required_capabilities]
    return next((handlers[name] for name in names if name in handlers), None)


class Report:
    """What is to be said about a task: `verb` is complete, fail or release."""

    def __init__(self, verb: str, **facts: Any) -> None:
        self.verb = verb
        self.facts = facts

    def send(self, held: HeldTask) -> None:
        """Say it under the lease. Raises Refusal if the lease is lost."""
        service = {"complete": task_complete, "fail": task_fail, "release": task_release}[self.verb]
        service(
            held.task,
            lease_id=held.lease_id,
            lease_epoch=held.lease_epoch,
            actor=held.agent_id,
            **self.facts,
        )


def _refused(refusal: Refusal) -> Report:
    """A refusal is an answer: trying again helps only where somebody else was in the way."""
    error = {"type": type(refusal).__name__, "message": refusal.detail, "code": refusal.code}
    retryable = isinstance(refusal, (StaleState, Unavailable))
    facts: dict[str, Any] = {"error": error, "retryable": retryable}
    if isinstance(refusal, Unavailable):
        facts["retry_after_s"] = refusal.retry_after_s
    return Report("fail", **facts)


def _tell(held: HeldTask, report: Report, log: logging.Logger) -> str:
    """Report, again and again while the database is away; a lost lease is somebody else's now."""
    until = time.monotonic() + TELL_WITHIN_S
    while True:
        try:
            report.send(held)
        except Refusal as refusal:
            return f"{report.verb} refused: {refusal.detail}"
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() > until:
                log.warning("%s could not be reported: %s", held.task.title, error)
                return f"{report.verb} not reported"
            time.sleep(TELL_AGAIN_S)
        else:
            return report.verb
