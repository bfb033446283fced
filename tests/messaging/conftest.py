"""Sockets and requests through the ASGI application, in this process."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from channels.testing import WebsocketCommunicator
from django.db import connections

from platform_site.asgi import application
from platform_site.common.keys import key_issue


@pytest.fixture
def key(transactional_db, person) -> Callable[..., str]:
    """`key("readonly")`: the secret of a key of that role."""

    def make(role: str = "operator") -> str:
        return key_issue(name=role, owner=person(f"a-{role}", role), actor="test")[1]

    return make


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    """PostgreSQL drops no database that the thread of `sync_to_async` is still connected to."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


class Client(WebsocketCommunicator):
    """A socket that speaks JSON and knows what it waits for."""

    def __init__(self, path: str, secret: str, **headers: str) -> None:
        headers = {"host": "localhost", **({"x-api-key": secret} if secret else {}), **headers}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        super().__init__(application, path, headers=raw)

    async def ask(self, frame: Any) -> dict[str, Any]:
        """Send a frame and return the next one that comes."""
        await self.send_json_to(frame)
        return await self.told()

    async def told(self) -> dict[str, Any]:
        """The next frame."""
        return await self.receive_json_from(timeout=5)


@pytest.fixture
async def sockets() -> Any:
    """`await sockets("/api/v1/ws/c", secret)`: an open socket; closed after the test."""
    opened: list[Client] = []

    async def connect(path: str, secret: str, **headers: str) -> Client:
        client = Client(path, secret, **headers)
        is_open, _ = await client.connect(timeout=10)
        assert is_open
        opened.append(client)
        return client

    yield connect
    for client in opened:
        await client.disconnect()
