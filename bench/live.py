"""The embedded platform: its memory, and how long an event takes from the commit to a WebSocket."""

import asyncio
import json
import time
from datetime import datetime

from websockets.asyncio.client import connect

from bench import load
from bench.platform import Running, embedded
from bench.processes import resident_mb

EVENTS, PER_SECOND = 500, 50


async def latencies(platform: Running) -> list[float]:
    """Milliseconds from the commit (the event's own time) to the frame, at 50 events a second."""
    address = f"ws://127.0.0.1:{platform.port}/api/v1/ws/bench"
    headers = {"X-API-Key": platform.key}
    async with connect(address, additional_headers=headers) as socket:
        await socket.send(json.dumps({"type": "subscribe", "subscriptions": ["task.submitted"]}))
        await socket.recv()
        sender = asyncio.create_task(submit(platform))
        found: list[float] = []
        while len(found) < EVENTS:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
            if frame["type"] == "task.submitted":
                written = datetime.fromisoformat(frame["timestamp"]).timestamp()
                found.append(1000 * (time.time() - written))
        await sender
    return sorted(found)


async def submit(platform: Running) -> None:
    """Submits at an even pace over one connection."""
    body = json.dumps(
        {"title": "t", "description": "d", "required_capabilities": ["none"]}
    ).encode()
    payload = load.request("POST", "/api/v1/tasks", platform.key, body)
    reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
    began = time.perf_counter()
    for number in range(EVENTS):
        await asyncio.sleep(max(0, began + number / PER_SECOND - time.perf_counter()))
        writer.write(payload)
        await load.answer(reader)
    writer.close()


def run() -> None:
    """Print both."""
    with embedded() as platform:
        time.sleep(5)
        idle = resident_mb(platform.pid)
        found = asyncio.run(latencies(platform))
        after = resident_mb(platform.pid)
    print("\nThe embedded platform, 27 agents, SQLite, in one process")
    print(f"resident memory: {idle:.0f} MB idle, {after:.0f} MB after {EVENTS} tasks")
    p50, p95, p99 = (found[min(EVENTS - 1, int(share * EVENTS))] for share in (0.5, 0.95, 0.99))
    print(
        f"commit to WebSocket at {PER_SECOND} events/s:"
        f" p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms"
    )
