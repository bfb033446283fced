"""Who runs which tick: a named lease row each, held for 30 s at a time by one process.

A row names host, process and start of the process, so that on the same host a dead holder is seen
at once and its ticks are taken over without waiting.
"""

import os
import socket
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from tasks.models import TickLease

LEASE_S = 30
RENEW_AFTER_S = 10
ASK_AGAIN_S = 2  # how often a stand-by looks whether the holder is gone


def host_name() -> str:
    """This host, and within it the namespace in which process ids mean something."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}"


def process_start(pid: int) -> str:
    """When the process was started, in clock ticks since boot; empty if gone or unknowable."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may contain anything
    state, started = fields[0], fields[19]
    return "" if state == "Z" else started


class TickLeases:
    """The tick leases of this process."""

    def __init__(self) -> None:
        self.me = {
            "host": host_name(),
            "pid": os.getpid(),
            "process_start": process_start(os.getpid()),
        }
        self.held: set[str] = set()
        self.renewed_at = 0.0
        self.asked_at = float("-inf")

    def hold(self, names: Collection[str]) -> set[str]:
        """Those of the ticks that this process may run now. Writes at most every ten seconds."""
        now = time.monotonic()
        if self.held and now - self.renewed_at >= RENEW_AFTER_S:
            self._renew(now)
        if not self.held >= set(names) and now - self.asked_at >= ASK_AGAIN_S:
            self.asked_at = now
            self._take(set(names) - self.held, now)
        return self.held & set(names)

    def release(self) -> None:
        """Let another process take over at once."""
        self._mine().update(expires_at=timezone.now())
        self.held = set()

    def _mine(self) -> QuerySet[TickLease]:
        return TickLease.objects.filter(name__in=self.held, **self.me)

    def _renew(self, now: float) -> None:
        # A process that slept through its lease (SIGSTOP, suspend) finds the row in other hands.
        if self._mine().update(expires_at=_expiry()) != len(self.held):
            self.held = set()
        self.renewed_at = now

    def _take(self, names: set[str], now: float) -> None:
        known = {row.name: row for row in TickLease.objects.filter(name__in=names)}
        missing = [TickLease(name=name) for name in sorted(names - known.keys())]
        if missing:
            TickLease.objects.bulk_create(missing, ignore_conflicts=True)
        free = [name for name in names if name not in known or self._is_free(known[name])]
        if not free:
            return
        with transaction.atomic():
            for name in sorted(free):
                seen = known.get(name)
                unchanged = Q(expires_at=seen.expires_at if seen else None)
                if TickLease.objects.filter(unchanged, name=name).update(
                    expires_at=_expiry(), **self.me
                ):
                    self.held.add(name)
        self.renewed_at = now

    def _is_free(self, row: TickLease) -> bool:
        if row.expires_at is None or row.expires_at <= timezone.now():
            return True
        if row.host != self.me["host"] or not row.process_start:
            return False
        return process_start(row.pid) != row.process_start


def _expiry() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_S)
