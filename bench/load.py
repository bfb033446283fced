"""A small HTTP load generator on raw keep-alive sockets, so that it costs little itself."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count


@dataclass
class Load:
    """What came of it: how many a second, the latencies, the answers that were no success."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the answers stayed below."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def run(
    port: int, make: Callable[[int], bytes], *, connections: int = 16, seconds: float = 6
) -> Load:
    """Send what `make(n)` makes over so many connections for so long, after a second of warm-up."""
    return asyncio.run(_run(port, make, connections, seconds))


def send(port: int, payload: bytes) -> int:
    """Send one request; its status."""
    return asyncio.run(_send(port, payload))


async def _send(port: int, payload: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(payload)
    status = await answer(reader)
    writer.close()
    return status


async def _run(port: int, make: Callable[[int], bytes], connections: int, seconds: float) -> Load:
    load = Load()
    begin = time.perf_counter() + 1
    end = begin + seconds
    counter = count()
    await asyncio.gather(
        *(_client(port, make, counter, load, begin, end) for _ in range(connections))
    )
    load.seconds = seconds
    return load


async def _client(
    port: int,
    make: Callable[[int], bytes],
    counter: Iterator[int],
    load: Load,
    begin: float,
    end: float,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (now := time.perf_counter()) < end:
        writer.write(make(next(counter)))
        status = await answer(reader)
        done = time.perf_counter()
        if status >= 400:
            load.failures[status] = load.failures.get(status, 0) + 1
        elif begin <= now and done <= end:
            load.latencies.append(done - now)
    writer.close()


async def answer(reader: asyncio.StreamReader) -> int:
    """Reads one answer to its end; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
            return status
        if name.lower() == b"transfer-encoding":
            while size := int((await reader.readline()).strip() or b"0", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
            return status
    return status
