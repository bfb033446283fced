"""What agents do by themselves: reactions to events and jobs, each of which runs as a task.

    @handles(on=PAYMENT_CAPTURED)
    def settle(event: dict[str, Any], *, actor: str) -> dict[str, Any]: ...

makes one task of the type `orders.settle` for each such event; the agent of the package runs it. A
handler lives in `<package>/agent.py` and may run again after a crash: it has to be idempotent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

from django.utils.module_loading import autodiscover_modules


class Work(Protocol):
    """A handler: the event or the payload in, a result that the task keeps out."""

    __name__: str
    __module__: str

    def __call__(self, given: dict[str, Any], /, *, actor: str) -> dict[str, Any] | None: ...


W = TypeVar("W", bound=Callable[..., Any])


class Later(Exception):
    """Raised by a handler: not yet. The task comes again after `after_s`; no attempt is spent."""

    def __init__(self, after_s: float, reason: str) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Handler:
    """One function that runs as a task. `name` is the task's type, `event` is empty for a job."""

    name: str
    package: str
    function: Work
    event: str = ""

    @property
    def about(self) -> str:
        """The first line of the function's docstring: what an operator reads beside the task."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


HANDLERS: dict[str, Handler] = {}


def handles(*, on: str, name: str | None = None) -> Callable[[W], W]:
    """Run the function as a task of its package's agent for each event `on`.

    Renaming the function orphans its open tasks: keep the old `name` then.
    """

    def register(function: W) -> W:
        package = package_of(function)
        _add(Handler(name or f"{package}.{function.__name__}", package, function, event=on))
        return function

    return register


def job(capability: str) -> Callable[[W], W]:
    """Run the function for each task that `job_enqueue(capability, …)` makes."""

    def register(function: W) -> W:
        _add(Handler(capability, package_of(function), function))
        return function

    return register


def handlers_of(event_type: str) -> list[Handler]:
    """Who reacts to an event of this type."""
    return [handler for handler in discover().values() if handler.event == event_type]


@cache
def discover() -> dict[str, Handler]:
    """All handlers of the installed packages; their `agent` modules are imported on first use."""
    autodiscover_modules("agent")
    return HANDLERS


def package_of(function: Callable[..., Any]) -> str:
    """`orders` for a function of `ecommerce.orders.agent`."""
    return function.__module__.split(".")[-2]


def _add(handler: Handler) -> None:
    known = HANDLERS.setdefault(handler.name, handler)
    if known.function is not handler.function:
        raise LookupError(f"The handler {handler.name} is declared twice.")
