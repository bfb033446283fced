"""How many sockets and event streams are open in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_open = 0


@contextmanager
def connected() -> Iterator[None]:
    """Count one connection for as long as the block runs."""
    _add(1)
    try:
        yield
    finally:
        _add(-1)


def count() -> int:
    """The connections open now."""
    return _open


def _add(number: int) -> None:
    global _open
    with _lock:
        _open += number
