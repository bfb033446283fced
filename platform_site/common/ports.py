"""Ports: what a low layer needs from a higher one, declared below, filled from above."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Port(Generic[P, R]):
    """A function that a higher layer supplies once, in `AppConfig.ready()`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._filled: Callable[P, R] | None = None

    def fill(self, implementation: Callable[P, R]) -> None:
        """Supply the implementation; a second, different one is a mistake."""
        if self._filled not in (None, implementation):
            raise RuntimeError(f"The port {self.name} is filled already.")
        self._filled = implementation

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._filled is None:
            raise RuntimeError(f"Nobody filled the port {self.name}.")
        return self._filled(*args, **kwargs)
