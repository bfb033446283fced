"""The threads that run the ticks of this process."""

import logging
import threading
import time
from collections.abc import Iterable

from django.db import DatabaseError, connection

from messaging import bell
from platform_site.common.context import tracing
from tasks.handlers import discover
from tasks.tick_leases import TickLeases
from tasks.ticks import TICKS, Tick

BREATH_S = 0.05  # between two runs that the bell asked for, so that a burst makes few batches

log = logging.getLogger(__name__)


class Ticker(threading.Thread):
    """One thread for some ticks, in the order in which they fall due."""

    def __init__(self, ticks: Iterable[Tick], *, topic: str = "") -> None:
        names = "+".join(sorted(tick.name for tick in ticks))
        super().__init__(name=f"ticks {names}"[:60], daemon=True)
        self.ticks = {tick.name: tick for tick in ticks}
        self.topic = topic
        self.leases = TickLeases()
        self.due = dict.fromkeys(self.ticks, 0.0)
        self.stopping = threading.Event()

    def run(self) -> None:
        rung = False
        while not self.stopping.is_set():
            since = bell.count(self.topic) if self.topic else 0
            self._run_due(rung=rung)
            connection.close()  # back to the pool while nothing is due
            rung = self._wait(since)
        self._release()

    def stop_soon(self) -> None:
        """End after the tick that runs now."""
        self.stopping.set()
        if self.topic:
            bell.ring(self.topic)

    def _run_due(self, *, rung: bool) -> None:
        now = time.monotonic()
        due = [
            tick
            for name, tick in self.ticks.items()
            if self.due[name] <= now or (rung and tick.topic)
        ]
        try:
            held = self.leases.hold(self.ticks) if due else set()
        except DatabaseError as error:
            log.warning("The leases of the ticks cannot be read: %s", error)
            held = set()
        for tick in due:
            self.due[tick.name] = now + tick.every_s
            if tick.name in held and not self.stopping.is_set():
                run_tick(tick)

    def _wait(self, since: int) -> bool:
        pause = max(0.0, min(self.due.values()) - time.monotonic())
        if not self.topic:
            self.stopping.wait(pause)
            return False
        rung = bell.wait_in_thread(self.topic, pause, since)
        if rung:
            self.stopping.wait(BREATH_S)
        return rung

    def _release(self) -> None:
        try:
            self.leases.release()
        except DatabaseError as error:
            log.warning("The ticks are left to expire: %s", error)
        finally:
            connection.close()


def run_tick(tick: Tick) -> None:
    """Run one tick under a trace of its own; a mistake in it is logged and it comes again."""
    try:
        with tracing():
            tick.function()
    except Exception:
        log.exception("The tick %s failed.", tick.name)
        connection.close()


def tickers() -> list[Ticker]:
    """A thread for the ticks that a bell calls (events must not wait), one for the rest."""
    discover()
    called = [tick for tick in TICKS.values() if tick.topic or tick.every_s < 1]
    others = [tick for tick in TICKS.values() if tick not in called]
    return [Ticker(called, topic=bell.EVENTS), Ticker(others)]
