"""What the code runs for: the trace that it belongs to and the event that caused it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
causation_id: ContextVar[str] = ContextVar("causation_id", default="")
causation_depth: ContextVar[int] = ContextVar("causation_depth", default=0)


@contextmanager
def tracing(trace: str = "", *, cause: str = "", depth: int = 0) -> Iterator[str]:
    """Run a block under a trace (a new one if none is given), caused by an event or a task."""
    trace = trace or secrets.token_hex(8)
    tokens = trace_id.set(trace), causation_id.set(cause), causation_depth.set(depth)
    try:
        yield trace
    finally:
        trace_id.reset(tokens[0])
        causation_id.reset(tokens[1])
        causation_depth.reset(tokens[2])
