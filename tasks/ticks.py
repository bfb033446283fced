"""Ticks: what has to happen regularly, at one place at a time.

@tick(every_s=60)
def transit() -> None: ...

lies in a package's `agent.py`. Of all processes on one database the one that holds the tick's lease
row runs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.handlers import package_of

T = TypeVar("T", bound=Callable[[], Any])


@dataclass(frozen=True, slots=True)
class Tick:
    """A function without arguments and how often it runs; the bell `topic` calls it earlier."""

    name: str
    every_s: float
    function: Callable[[], Any]
    topic: str = ""


TICKS: dict[str, Tick] = {}


def tick(*, every_s: float, topic: str = "") -> Callable[[T], T]:
    """Run the function every so many seconds, and when the bell of `topic` rings."""

    def register(function: T) -> T:
        name = f"{package_of(function)}.{function.__name__}"
        known = TICKS.setdefault(name, Tick(name, every_s, function, topic))
        if known.function is not function:
            raise LookupError(f"The tick {name} is declared twice.")
        return function

    return register
