"""One class over the Platform API: register, claim under a lease, report, submit, follow events."""

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from fleetdesk_client.errors import FleetdeskError, LeaseLost, Retry

PATIENCE_S = 60.0
PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
Handler = Callable[["Claimed"], Mapping[str, Any] | None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A task in our hands. `lease_id` and `lease_epoch` prove it in every call about it."""

    task_id: str
    lease_id: str
    lease_epoch: int
    lease_expires_at: datetime
    payload: Any
    task_type: str
    attempt: int
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """From one row of the answer to a claim."""
        return cls(
            task_id=facts["id"],
            lease_id=facts["lease_id"],
            lease_epoch=facts["lease_epoch"],
            lease_expires_at=datetime.fromisoformat(facts["lease_expires_at"]),
            payload=facts["payload"],
            task_type=facts["task_type"],
            attempt=facts["attempt"],
            facts=facts,
        )

    @property
    def fence(self) -> dict[str, Any]:
        """What every call about the task carries."""
        return {"lease_id": self.lease_id, "lease_epoch": self.lease_epoch}


class Fleetdesk:
    """A connection to the platform, as one agent or as somebody who submits work.

    While the platform is away or restarts, calls are repeated for `patience_s`. That is safe:
    submitting carries an idempotency key, and a report under a lease may be repeated.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str = "",
        *,
        agent_id: str = "",
        patience_s: float = PATIENCE_S,
    ) -> None:
        headers = {"X-API-Key": key} if key else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30)
        self.agent_id = agent_id
        self.patience_s = patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    # As an agent ---------------------------------------------------------------------------

    def register(self, name: str, capabilities: Sequence[str], **declared: Any) -> dict[str, Any]:
        """Say who we are and what we can do; again after each start, under the same `agent_id`."""
        body = {"name": name, "capabilities": list(capabilities), **declared}
        if self.agent_id:
            body["agent_id"] = self.agent_id
        agent: dict[str, Any] = self._call("POST", "/api/v1/agents", json=body).json()
        self.agent_id = agent["id"]
        return agent

    def heartbeat(self, **facts: Any) -> dict[str, Any]:
        """We live. A claim and every call under a lease say so too."""
        answer: dict[str, Any] = self._call("POST", self._mine("heartbeat"), json=facts).json()
        return answer

    def recover(self, holding: Sequence[Claimed] = ()) -> list[dict[str, Any]]:
        """After a start: what became of the tasks we held; all others return to the queue."""
        held = [{"task_id": row.task_id, "lease_epoch": row.lease_epoch} for row in holding]
        answer = self._call("POST", self._mine("recover"), json={"holding": held})
        outcomes: list[dict[str, Any]] = answer.json()["results"]
        return outcomes

    def claim(
        self, maximum: int = 1, *, wait_s: float = 20, capabilities: Sequence[str] | None = None
    ) -> list[Claimed]:
        """Up to `maximum` tasks; waits up to `wait_s` for the first. An empty list: nothing yet."""
        body: dict[str, Any] = {"max": maximum, "wait_s": wait_s}
        if capabilities is not None:
            body["capabilities"] = list(capabilities)
        answer = self._call("POST", self._mine("claim"), json=body, timeout=wait_s + 15)
        return [] if answer.status_code == 204 else [Claimed.of(row) for row in _tasks(answer)]

    def renew(self, task: Claimed, **progress: Any) -> dict[str, Any]:
        """Keep the lease; may carry `progress`, `note` and `checkpoint`. Raises LeaseLost."""
        return self._under_lease(task, "heartbeat", **progress)

    def complete(self, task: Claimed, result: Any = None) -> dict[str, Any]:
        """The work is done. Raises LeaseLost."""
        return self._under_lease(task, "complete", result=result)

    def complete_many(self, done: Sequence[tuple[Claimed, Any]]) -> list[dict[str, Any]]:
        """Complete several at once, each with its result; the outcome of each, in order.

        `{task_id, status, late}`, or `{task_id, status: "error", detail, code}` for a lost lease.
        """
        results = [{"task_id": t.task_id, **t.fence, "result": result} for t, result in done]
        answer = self._call("POST", self._mine("complete"), json={"results": results})
        outcomes: list[dict[str, Any]] = answer.json()["results"]
        return outcomes

    def fail(
        self, task: Claimed, message: str, *, kind: str = "Error", retryable: bool = True
    ) -> dict[str, Any]:
        """The work cannot be done now, or (`retryable=False`) never. Raises LeaseLost."""
        error = {"type": kind, "message": message}
        return self._under_lease(task, "fail", error=error, retryable=retryable)

    def release(self, task: Claimed, *, delay_s: float = 0, reason: str = "") -> dict[str, Any]:
        """Give the task back unworked. Raises LeaseLost."""
        return self._under_lease(task, "release", delay_s=delay_s, reason=reason)

    def run(self, handler: Handler, *, batch: int = 1, stop: threading.Event | None = None) -> None:
        """Claim, call `handler(task)`, report; for ever, or until `stop` is set.

        What the handler returns is the result. An exception fails the task, `Retry` gives it back.
        The leases of the batch are renewed meanwhile.
        """
        stop = stop or threading.Event()
        while not stop.is_set():
            tasks = self.claim(batch)
            with self._renewing(tasks) as lost:
                for task in tasks:
                    if stop.is_set():
                        with contextlib.suppress(LeaseLost):
                            self.release(task, reason="The agent is stopping.")
                    elif task.lease_id not in lost:
                        self._work(handler, task)

    # As a submitter and as an observer -----------------------------------------------------

    def submit(self, title: str, *, idempotency_key: str = "", **fields: Any) -> dict[str, Any]:
        """Put a task into the queue, once, however often the call had to be repeated."""
        headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        body = {"title": title, "description": "", **fields}
        answer = self._call("POST", "/api/v1/tasks", json=body, headers=headers)
        task: dict[str, Any] = answer.json()
        return task

    def task(self, task_id: str) -> dict[str, Any]:
        """The task as it is now."""
        found: dict[str, Any] = self._call("GET", f"/api/v1/tasks/{task_id}").json()
        return found

    def events(
        self, *, since: str = "", types: str = "", wait_s: float = 30
    ) -> Iterator[dict[str, Any]]:
        """The events as they happen, for ever, none left out; resume with the last `cursor`.

        Without `since` it begins with what happens from now on; `oldest` begins at the beginning.
        """
        while True:
            query = {"since": since, "types": types, "wait": str(wait_s)}
            asked = {name: value for name, value in query.items() if value}
            page = self._call("GET", "/api/v1/events", params=asked, timeout=wait_s + 15).json()
            yield from page["events"]
            since = page["cursor"]

    # How -----------------------------------------------------------------------------------

    def _mine(self, call: str) -> str:
        return f"/api/v1/agents/{self.agent_id}/{call}"

    def _under_lease(self, task: Claimed, verb: str, **facts: Any) -> dict[str, Any]:
        body = {**task.fence, **facts}
        answer = self._call("POST", f"/api/v1/tasks/{task.task_id}/{verb}", json=body)
        said: dict[str, Any] = answer.json()
        return said

    def _call(self, method: str, path: str, **how: Any) -> httpx.Response:
        """One call, repeated while nobody answers or the platform says 503."""
        until, pause = time.monotonic() + self.patience_s, PAUSE_S
        while True:
            try:
                answer = self.http.request(method, path, **how)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            else:
                if answer.status_code != 503 or time.monotonic() > until:
                    return _checked(answer)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _work(self, handler: Handler, task: Claimed) -> None:
        with contextlib.suppress(LeaseLost):
            try:
                result = handler(task)
            except Retry as later:
                self.release(task, delay_s=later.after_s, reason=later.reason)
            except Exception as error:
                log.exception("The task %s failed.", task.task_id)
                self.fail(task, str(error), kind=type(error).__name__)
            else:
                self.complete(task, result)

    @contextlib.contextmanager
    def _renewing(self, tasks: Sequence[Claimed]) -> Iterator[set[str]]:
        """Renew the leases of a batch at a third of their length; yields the ids of lost ones."""
        lost: set[str] = set()
        if not tasks:
            yield lost
            return
        length = min(task.lease_expires_at for task in tasks) - datetime.now(UTC)
        done = threading.Event()

        def keep() -> None:
            while not done.wait(max(1.0, length.total_seconds() / 3)):
                for task in tasks:
                    with contextlib.suppress(httpx.HTTPError):
                        try:
                            self.renew(task)
                        except FleetdeskError:
                            lost.add(task.lease_id)

        keeper = threading.Thread(target=keep, daemon=True)
        keeper.start()
        try:
            yield lost
        finally:
            done.set()
            keeper.join()


def _tasks(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["tasks"]
    return found


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        body = answer.json()
    except ValueError:
        body = {}
    facts = body if isinstance(body, dict) else {}
    code, detail = str(facts.get("code", "")), str(facts.get("detail", answer.reason_phrase))
    kind = LeaseLost if code == "lease_lost" else FleetdeskError
    raise kind(answer.status_code, detail, code, body)
