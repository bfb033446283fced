"""Carries rings between processes through the channel layer, in one background thread."""

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Callable

from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
GROUP = "bell"
AGAIN_AFTER_S = 1.0


def _layer() -> BaseChannelLayer:
    layer = get_channel_layer()
    assert layer is not None  # noqa: S101 (the settings always name one)
    return layer


class Relay:
    """One thread with one loop: whoever rings only leaves a word here and goes on.

    Rings that pile up while Redis is slow or away are one ring when it is back.
    """

    def __init__(self, on_ring: Callable[[str], None]) -> None:
        self._on_ring = on_ring
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: set[str] = set()
        self._work = asyncio.Event()
        self._name = secrets.token_hex(8)

    def start(self) -> None:
        """Listen to the other processes; nothing to do where there are none."""
        if self._thread is not None or isinstance(get_channel_layer(), InMemoryChannelLayer):
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell-relay", daemon=True)
                self._thread.start()

    def publish(self, topic: str) -> None:
        """Tell the other processes, soon."""
        self.start()
        if self._thread is None:
            return
        with self._lock:
            self._due.add(topic)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._work.set)

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._work.set()
        await asyncio.gather(self._speak(), self._listen())

    async def _speak(self) -> None:
        layer = _layer()
        while True:
            await self._work.wait()
            self._work.clear()
            with self._lock:
                topics, self._due = self._due, set()
            if not topics:
                continue
            try:
                words = {"type": "ring", "topics": sorted(topics), "sender": self._name}
                await layer.group_send(GROUP, words)
            except (RedisError, OSError) as error:
                log.warning(
                    "Redis is away, other processes look at the log by themselves: %s", error
                )
                with self._lock:
                    self._due |= topics
                await asyncio.sleep(AGAIN_AFTER_S)
                self._work.set()

    async def _listen(self) -> None:
        layer = _layer()
        channel = ""
        while True:
            try:
                channel = channel or await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    self._heard(await layer.receive(channel))
            except (RedisError, OSError):
                await asyncio.sleep(AGAIN_AFTER_S)

    def _heard(self, words: dict[str, object]) -> None:
        if words.get("sender") != self._name:
            topics = words.get("topics")
            for topic in topics if isinstance(topics, list) else []:
                self._on_ring(str(topic))
