"""What `system_metrics` tells: figures measured on this machine and in this process."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from messaging import connections
from messaging.cursor import head

FRESH_S = 5.0
FIGURES: list[Callable[[], dict[str, Any]]] = []  # filled by higher layers in `AppConfig.ready()`


class Requests:
    """The HTTP requests of this process since the last snapshot: how many, how long, how bad."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self._errors = 0

    def note(self, seconds: float, status: int) -> None:
        with self._lock:
            self._seconds.append(seconds)
            self._errors += status >= 500

    def take(self) -> tuple[list[float], int]:
        """What was noted, and begin anew."""
        with self._lock:
            taken = self._seconds, self._errors
            self._seconds, self._errors = [], 0
        return taken


class Snapshots:
    """Figures over the time since the snapshot before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Any] = {}
        self._at = self._seq = 0.0
        self._busy, self._total = _processor_ticks()

    def take(self) -> dict[str, Any]:
        """The newest snapshot; a fresh one is shared by all who ask."""
        with self._lock:
            now = time.monotonic()
            if not self._last or now - self._at > FRESH_S:
                self._last = self._measure(now)
            return self._last

    def _measure(self, now: float) -> dict[str, Any]:
        seq, (seconds, errors) = head().seq, requests.take()
        elapsed_s = now - self._at
        rate = (seq - self._seq) / elapsed_s if self._at else 0.0
        self._at, self._seq = now, seq
        figures: dict[str, Any] = {
            "cpu_usage": self._processor(),
            "memory_usage": _memory(),
            "throughput": round(rate, 2),  # events a second
            "requests": len(seconds),
            "response_time": round(1000 * sum(seconds) / len(seconds), 2) if seconds else 0.0,  # ms
            "error_rate": round(errors / len(seconds), 4) if seconds else 0.0,
            "websocket_connections": connections.count(),
        }
        for further in FIGURES:
            figures.update(further())
        return figures

    def _processor(self) -> float | None:
        """Per cent of all processors in use; from the load where the system tells no ticks."""
        busy, total = _processor_ticks()
        used, passed = busy - self._busy, total - self._total
        self._busy, self._total = busy, total
        if passed > 0:
            return round(100 * used / passed, 1)
        if not hasattr(os, "getloadavg"):
            return None
        return round(min(100.0, 100 * os.getloadavg()[0] / (os.cpu_count() or 1)), 1)


def _processor_ticks() -> tuple[int, int]:
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return 0, 0
    ticks = [int(number) for number in first.split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # all but idle and waiting for disks


def _memory() -> float | None:
    """Per cent of the machine's memory in use; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
    }
    return round(100 * (1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"]), 1)


requests = Requests()
_snapshots = Snapshots()


def snapshot() -> dict[str, Any]:
    """The figures of the last seconds."""
    return _snapshots.take()
