"""Sockets that read nothing, broken frames and refused handshakes, by raw sockets (R7, S3, S20)."""

import asyncio
import base64
import json
import os
import socket
import statistics
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.stress.streams import Streams
from tests.stress.test_events import TABLE, TYPE, finish, until

pytestmark = pytest.mark.stress
ADDRESS = "/api/v1/ws/raw"
SUBMITTED = "task.submitted"
BOTH = TABLE.replace("=", "IN (", 1).replace(" ORDER", f", '{SUBMITTED}') ORDER")
ESTABLISHED = "01"  # as /proc/net/tcp calls it
DEAF = 100
FILLING = 12_000  # bytes of an event
BULK, POSTS = (900, 100) if os.environ.get("STRESS") == "full" else (150, 25)
HELD_UP_S = 10.0  # what nobody may be delayed by, on whatever machine


@pytest.fixture(scope="module")
def platform() -> Iterator[Streams]:
    with Streams("sqlite") as running:
        yield running


def raw_socket(
    platform: Streams, headers: dict[str, str], *, address: str = ADDRESS, receive_buffer: int = 0
) -> tuple[socket.socket, bytes]:
    """A TCP connection after the handshake, and what the server answered to it."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(10)
    client.connect(("127.0.0.1", platform.port))
    lines = [
        f"GET {address} HTTP/1.1",
        f"Host: 127.0.0.1:{platform.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *[f"{name}: {value}" for name, value in headers.items()],
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and (more := client.recv(1)):
        answer += more
    return client, answer


def frame(payload: bytes, *, opcode: int = 1, mask: bool = True, head: int = 0x80) -> bytes:
    """A WebSocket frame, well-formed or not."""
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126:
        start = struct.pack("!BB", head | opcode, bit | size)
    elif size < 65536:
        start = struct.pack("!BBH", head | opcode, bit | 126, size)
    else:
        start = struct.pack("!BBQ", head | opcode, bit | 127, size)
    if not mask:
        return start + payload
    return start + b"\0\0\0\0" + payload  # a mask of zeros changes nothing


def close_code(client: socket.socket) -> int | None:
    """The code with which the server ends the connection; frames before it are skipped."""
    data = b""
    try:
        while more := client.recv(65536):
            data += more
    except (TimeoutError, ConnectionResetError):
        pass
    at = 0
    while at + 2 <= len(data):
        opcode, size = data[at] & 0x0F, data[at + 1] & 0x7F
        at += 2
        if size == 126:
            size, at = struct.unpack_from("!H", data, at)[0], at + 2
        elif size == 127:
            size, at = struct.unpack_from("!Q", data, at)[0], at + 8
        if opcode == 8:
            return int(struct.unpack_from("!H", data, at)[0])
        at += size
    return None


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Listener:
    """One socket that reads all it is sent, and when each event came."""

    def __init__(self, platform: Streams) -> None:
        self.platform = platform
        self.seqs: list[int] = []
        self.received: dict[str, float] = {}

    async def listen(self) -> None:
        url = f"ws://127.0.0.1:{self.platform.port}{ADDRESS}"
        async with connect(url, additional_headers=self.platform.headers) as client:
            await client.send(subscription(TYPE, SUBMITTED))
            async for text in client:
                told = json.loads(text)
                if told["type"] in (TYPE, SUBMITTED):
                    self.seqs.append(told["data"]["seq"])
                    self.received[told["data"]["entity_id"]] = time.monotonic()


def subscription(*names: str) -> str:
    """The frame that asks for these events from the first one on."""
    return json.dumps({"type": "subscribe", "subscriptions": names, "since": "oldest"})


async def paced_posts(platform: Streams, listener: Listener) -> list[float]:
    """Submit tasks one by one; seconds from each request until the listener hears of it."""
    delays = []
    async with httpx.AsyncClient(headers=platform.headers, timeout=HELD_UP_S) as client:
        for number in range(POSTS):
            begun = time.monotonic()
            task = {"title": f"Count {number} stars", "description": "By hand."}
            answer = await client.post(f"{platform.url}/api/v1/tasks", json=task)
            assert answer.status_code == 200, answer.text
            task_id = str(answer.json()["id"])
            await until(lambda task_id=task_id: task_id in listener.received, HELD_UP_S)
            delays.append(listener.received[task_id] - begun)
            await asyncio.sleep(0.05)
    return delays


def server_rows(port: int) -> dict[int, tuple[str, int]]:
    """The kernel's rows of the server's connections: port of the client -> state, bytes queued."""
    rows = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        if int(local.partition(":")[2], 16) == port:
            client = int(remote.partition(":")[2], 16)
            rows[client] = (state, int(queues.partition(":")[0], 16))
    return rows


async def test_100_sockets_that_never_read_cost_under_20_mb_and_delay_nobody():
    with Streams("postgres") as platform, ExitStack() as open_sockets:
        listener = Listener(platform)
        reading = asyncio.create_task(listener.listen())
        await finish([platform.writer(90, 2, 100, size=FILLING)])  # warm: caches, threads, the tail
        alone = await paced_posts(platform, listener)
        before_mb = resident_mb(platform.pid)

        deaf = []
        for number in range(DEAF):
            # The last one will read again, which takes minutes through a window of 4 KB.
            window = 4096 if number < DEAF - 1 else 0
            client, answer = raw_socket(platform, platform.headers, receive_buffer=window)
            assert answer.startswith(b"HTTP/1.1 101")
            client.sendall(frame(subscription(TYPE).encode()))
            deaf.append(open_sockets.enter_context(client))
        await finish([platform.writer(0, 2, BULK, size=FILLING)])
        await until(lambda: len(listener.seqs) >= len(platform.query(BOTH)), 2 * HELD_UP_S)
        beside = await paced_posts(platform, listener)
        grown_mb = resident_mb(platform.pid) - before_mb
        rows = server_rows(platform.port)
        table = [seq for (seq,) in platform.query(TABLE)]

        offered = len(table) * FILLING
        full = [queued for state, queued in rows.values() if state == ESTABLISHED and queued]
        assert len(full) >= DEAF - 1
        assert max(full) < offered  # the kernel did not take it all: the server holds the rest back
        assert listener.seqs == [seq for (seq,) in platform.query(BOTH)]
        medians = statistics.median(alone), statistics.median(beside)
        print(f"grown by {grown_mb:.1f} MB, medians {medians[0]:.3f} s, {medians[1]:.3f} s")  # noqa: T201
        assert medians[1] < 10 * max(medians[0], 0.05)
        assert grown_mb < 20
        # One of them wakes up and finds everything, in order, or hears why it does not.
        seqs, code = await asyncio.to_thread(read_all, deaf.pop(), len(table))
        assert seqs == table or (code == 4408 and seqs == table[: len(seqs)])
        reading.cancel()
        assert "Traceback" not in platform.log


async def test_who_stays_deaf_is_told_4408_and_hung_up_on():
    with Streams("sqlite", env={"STALLED_AFTER_S": "2"}) as platform:
        waking, _ = raw_socket(platform, platform.headers)
        deaf, _ = raw_socket(platform, platform.headers, receive_buffer=4096)
        with waking, deaf:
            port = deaf.getsockname()[1]
            for client in (waking, deaf):
                client.sendall(frame(subscription(TYPE).encode()))
            await finish([platform.writer(0, 2, BULK + 100, size=FILLING)])
            assert server_rows(platform.port)[port][0] == ESTABLISHED
            await asyncio.sleep(5)  # longer than a stalled socket is kept

            seqs, code = await asyncio.to_thread(read_all, waking, 10**6)
            table = [seq for (seq,) in platform.query(TABLE)]
            assert (code, seqs) == (4408, table[: len(seqs)])
            assert len(seqs) < len(table)
            # The other one never reads: the server does not wait for it to take the rest.
            gone = ("", 0)
            await until(
                lambda: server_rows(platform.port).get(port, gone)[0] != ESTABLISHED, 2 * HELD_UP_S
            )
        assert "Traceback" not in platform.log


def read_all(client: socket.socket, count: int) -> tuple[list[int], int | None]:
    """The numbers of the next `count` events of a raw socket, and the code if it is closed."""
    client.settimeout(15)
    data, seqs = b"", []
    while len(seqs) < count:
        more = client.recv(1 << 20)
        assert more, f"The server hung up after {len(seqs)} events."
        data += more
        while len(data) >= 2:
            size, at = data[1] & 0x7F, 2
            if size == 126 and len(data) >= 4:
                size, at = struct.unpack_from("!H", data, at)[0], 4
            elif size >= 126:
                break  # 64 KB and more is never sent; the rest of this head is still to come
            if len(data) < at + size:
                break
            if data[0] & 0x0F == 8:
                return seqs, int(struct.unpack_from("!H", data, at)[0])
            if data[0] & 0x0F == 1:
                told = json.loads(data[at : at + size])
                if told["type"] == TYPE:
                    seqs.append(told["data"]["seq"])
            data = data[at + size :]
    return seqs, None


BROKEN = {
    "reserved opcode": (frame(b"x", opcode=3), 1002),
    "not masked": (frame(b"{}", mask=False), 1002),
    "reserved bits": (frame(b"{}", head=0xF0), 1002),
    "long control frame": (frame(b"x" * 126, opcode=9), 1002),
    "text that is no UTF-8": (frame(b"\xff\xfe"), 1007),
    "over 1 MiB": (frame(b"x" * (1024 * 1024 + 1)), 1009),
    "a flood": (frame(b'{"type":"ping"}') * 2000, 1008),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_ends_its_socket_alone_and_leaves_no_traceback(platform, name):
    sent, code = BROKEN[name]
    client, _ = raw_socket(platform, platform.headers)
    other, _ = raw_socket(platform, platform.headers)

    with client, other:
        client.settimeout(3)
        client.sendall(sent)

        assert close_code(client) == code
        other.sendall(frame(b'{"type": "ping"}'))
        assert b"pong" in other.recv(65536)
    assert "Traceback" not in platform.log


ODD = ["null", "[]", "17", '"text"', "{", "", "[" * 5000, '{"type": "subscribe"', "{}"]


async def test_a_frame_that_is_no_object_is_answered_and_the_socket_lives(platform):
    url = f"ws://127.0.0.1:{platform.port}{ADDRESS}"
    async with connect(url, additional_headers=platform.headers) as client:
        for text in [*ODD, b"\x00\x01"]:
            await client.send(text)
            assert json.loads(await client.recv())["type"] == "error", text
        await client.send('{"type": "ping"}')
        assert json.loads(await client.recv())["type"] == "pong"
    assert "Traceback" not in platform.log


def handshakes(platform: Streams) -> dict[str, tuple[dict[str, str], str, int]]:
    """What is shown, at which address, and the status of the answer."""
    own = f"http://127.0.0.1:{platform.port}"
    key = {"X-API-Key": platform.key}
    return {
        "nothing": ({}, ADDRESS, 401),
        "a wrong key": ({"X-API-Key": "fd_" + "x" * 43}, ADDRESS, 401),
        "a key": (key, ADDRESS, 101),
        "a bearer": ({"Authorization": f"Bearer {platform.key}"}, ADDRESS, 101),
        "a subprotocol": (
            {"Sec-WebSocket-Protocol": f"fleetdesk.v1, bearer.{platform.key}"},
            ADDRESS,
            101,
        ),
        "the query": ({}, f"{ADDRESS}?token={platform.key}", 101),
        "a wrong query": ({}, f"{ADDRESS}?token=test-token", 401),
        "own origin": ({**key, "Origin": own}, ADDRESS, 101),
        "own host, other port": ({**key, "Origin": "http://127.0.0.1:9002"}, ADDRESS, 403),
        "own host, other scheme": ({**key, "Origin": own.replace("http", "https")}, ADDRESS, 403),
        "a foreign origin": ({**key, "Origin": "https://evil.example"}, ADDRESS, 403),
        "origin null": ({**key, "Origin": "null"}, ADDRESS, 403),
        "the dashboard's address": (key, "/ws", 101),
        "the dashboard's other address": (key, "/api/ws/", 101),
        "no such address": (key, "/api/v1/wsx", 404),
    }


def test_sockets_are_refused_in_the_handshake_with_their_status(platform):
    for name, (headers, address, status) in handshakes(platform).items():
        client, answer = raw_socket(platform, headers, address=address)
        client.close()
        assert answer.startswith(b"HTTP/1.1 %d " % status), (name, answer)
        assert (b"www-authenticate: bearer" in answer.lower()) == (status == 401), name
        assert platform.key.encode() not in answer
    assert platform.key not in platform.log
    logs = [path.read_text() for path in (platform.folder / "var" / "logs").rglob("*.log")]
    assert not any(platform.key in text for text in logs)
    assert "Traceback" not in platform.log


async def test_a_revoked_key_ends_its_open_sockets_with_4401(platform):
    url = f"ws://127.0.0.1:{platform.port}{ADDRESS}"
    with Streams("sqlite") as own:
        url = f"ws://127.0.0.1:{own.port}{ADDRESS}"
        async with connect(url, additional_headers=own.headers) as client:
            await client.send('{"type": "ping"}')
            await client.recv()
            script = (
                "import django; django.setup()\n"
                "from platform_site.common.keys import key_revoke\n"
                "from platform_site.common.models import ApiKey\n"
                "key_revoke(ApiKey.objects.get(), actor='test')"
            )
            assert own.popen("-c", script).wait(30) == 0
            await asyncio.wait_for(client.wait_closed(), 5)

            assert client.close_code == 4401
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=own.headers)
        assert refused.value.response.status_code == 401
