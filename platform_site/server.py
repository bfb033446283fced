"""One process, many ports: the sockets that this process opens and the server behind them.

Uvicorn ends as a whole if one of several ports is taken, and other servers share a taken port in
silence. So every port is bound here, without sharing, and handed over (docs/architecture.md).
"""

import asyncio
import ipaddress
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import HANDLED_SIGNALS

from ecommerce.agents import AGENTS, COORDINATOR_PORT, GATEWAY_PORT
from messaging import bell
from tasks.runner import Runner

LOOPBACK = "127.0.0.1"
BACKLOG = 2048
FINISH_WITHIN_S = 12  # what requests under way get after SIGTERM; the runner gets 20 s
UNSENT_BYTES = 16 * 1024  # what a socket may hold back in memory; the kernel holds megabytes more
HANG_UP_AFTER_S = 10  # what a client gets to read the last frames of a socket that has ended
SOCKET_MESSAGE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Door:
    """A port of this process, on which address it listens and who answers there."""

    port: int
    host: str
    label: str


class PortTaken(Exception):
    """Another process listens on the port."""


def main_door() -> Door:
    """The console and all APIs."""
    return Door(settings.PORT, settings.HOST, "console and all APIs")


def side_doors() -> list[Door]:
    """The agents' own ports and the coordinator's: loopback only, but for the gateway's."""
    if not settings.AGENT_PORTS:
        return []
    doors = [
        Door(spec.port, settings.HOST if spec.port == GATEWAY_PORT else LOOPBACK, spec.agent_id)
        for spec in AGENTS
    ]
    doors.append(Door(COORDINATOR_PORT, LOOPBACK, "coordinator"))
    return [door for door in doors if door.port != settings.PORT]


def bind(door: Door) -> socket.socket:
    """A listening socket that shares its port with nobody. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        # A port in TIME_WAIT after a restart may be taken again; one that is listened on may not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    try:
        listener.bind((door.host, door.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(f"Port {door.port} on {door.host} cannot be opened: {error}.") from error
    return listener


def open_doors(doors: Iterable[Door], *, report: Callable[[str], None]) -> list[socket.socket]:
    """Bind what is free; what is taken is reported and left out."""
    listeners = []
    for door in doors:
        try:
            listeners.append(bind(door))
        except PortTaken:
            report(f"Port {door.port} is taken: {door.label} does not answer there.")
    return listeners


def address(door: Door) -> str:
    """The URL under which a browser of this machine reaches the door."""
    try:
        is_any = ipaddress.ip_address(door.host).is_unspecified
    except ValueError:
        is_any = False
    host = LOOPBACK if is_any else door.host
    return f"http://{f'[{host}]' if ':' in host else host}:{door.port}/"


class _Socket(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket, quiet about what clients do wrong.

    One whose handshake is under way at the shutdown is hung up on, not answered 500. One that has
    ended is closed even if its client never reads: asyncio's own close waits for that without end.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(UNSENT_BYTES)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(HANG_UP_AFTER_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(HANG_UP_AFTER_S, self.transport.abort)

    def shutdown(self) -> None:
        if self.handshake_complete or self.close_sent:
            super().shutdown()
        else:
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Text that is no UTF-8 ends the socket with 1007; uvicorn logs a stack for it besides."""
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:
            self.conn.send_close(1007)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """A refusal completes the handshake; uvicorn logs it as an error of ours.

        A close frame goes out behind what is not read yet, else a stalled client never got one.
        """
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True


class _Server(uvicorn.Server):
    """Uvicorn, except that a signal also tells us, and is not raised again at the end: that would
    end the process before the agents' leases are released."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.on_exit()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Long polls are answered and streams end now, not when their time is over."""
        bell.end_waits()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(listeners: list[socket.socket], *, runner: Runner) -> None:
    """Answer on these sockets, and let the runner work, until SIGTERM or Ctrl+C.

    Then nothing new is taken, requests and tasks under way are finished, sockets are closed with
    1012 and leases released, all within 20 seconds.
    """
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns of a missing one
    runner.start()
    try:
        asyncio.run(_server(runner).serve(sockets=listeners))
    finally:
        runner.finish()


def work(runner: Runner) -> None:
    """Let the runner work without any port, until SIGTERM or Ctrl+C."""
    stopped = threading.Event()
    for number in HANDLED_SIGNALS:
        signal.signal(number, lambda *_: stopped.set())
    runner.start()
    while not stopped.wait(1):  # in pieces: on Windows an endless wait is deaf to signals
        pass
    runner.finish()


def _server(runner: Runner) -> _Server:
    config = uvicorn.Config(
        "platform_site.asgi:application",
        ws=_Socket,
        ws_max_size=SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_timeout=100,  # who reads nothing for a minute hears it from us first, as 4408
        lifespan="off",
        log_config=None,
        access_log=False,  # it would print the whole query string, tokens included
        proxy_headers=False,  # client_address alone reads them
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
    )
    return _Server(config, runner.stop_soon)
