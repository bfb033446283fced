"""Who is let in at the handshake: sessions with their own Origin, open mode (S20, S37)."""

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as django_settings
from django.test import Client

from platform_site.asgi import application
from platform_site.common.keys import key_issue, key_revoke

pytestmark = pytest.mark.django_db(transaction=True)
HOST = f"localhost:{django_settings.PORT}"
OWN = f"http://{HOST}"


async def handshake(
    headers: dict[str, str], *, port: int = django_settings.PORT, peer: str = "127.0.0.1"
) -> int:
    """The status with which a handshake is answered; 101 is let in."""
    named = {"host": HOST, **headers}
    scope = {
        "type": "websocket",
        "http_version": "1.1",
        "path": "/api/v1/ws/client-123",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "subprotocols": [],
        "client": (peer, 50000),
        "server": ("127.0.0.1", port),
        "scheme": "ws",
        "extensions": {"websocket.http.response": {}},
    }
    asked = ApplicationCommunicator(application, scope)
    await asked.send_input({"type": "websocket.connect"})
    answer = await asked.receive_output(5)
    if answer["type"] != "websocket.accept":
        await asked.receive_output(5)
        return int(answer["status"])
    await asked.send_input({"type": "websocket.disconnect", "code": 1000})
    await asked.wait(5)
    return 101


@pytest.fixture
def cookie(transactional_db, person) -> Callable[[], dict[str, str]]:
    """`cookie()`: the headers of alice's browser."""

    def sign_in() -> dict[str, str]:
        browser = Client()
        browser.force_login(person("alice"))
        name = django_settings.SESSION_COOKIE_NAME
        return {"cookie": f"{name}={browser.cookies[name].value}"}

    return sign_in


async def test_a_session_opens_a_socket_for_pages_of_its_own_origin_only(cookie):
    signed_in = await sync_to_async(cookie)()

    assert await handshake({**signed_in, "origin": OWN}) == 101
    for origin in (
        "https://evil.example",
        f"http://localhost:{django_settings.PORT + 1}",
        f"https://{HOST}",
        f"http://127.0.0.1:{django_settings.PORT}",
        "null",
    ):
        assert await handshake({**signed_in, "origin": origin}) == 403, origin


async def test_a_session_is_no_proof_without_an_origin_nor_on_an_agents_port(cookie):
    signed_in = await sync_to_async(cookie)()

    assert await handshake(signed_in) == 401
    elsewhere = {**signed_in, "host": "localhost:9001", "origin": "http://localhost:9001"}
    assert await handshake(elsewhere, port=9001) == 401
    assert await handshake({"origin": OWN, "cookie": "sessionid=forged"}) == 401


async def test_in_open_mode_a_program_and_a_page_of_this_machine_need_no_credential(
    transactional_db, settings
):
    assert await handshake({}) == 401
    settings.OPEN_API = True

    assert await handshake({}) == 101
    assert await handshake({"origin": "http://localhost:3000"}) == 101
    assert await handshake({"authorization": "Bearer test-token"}) == 101


async def test_open_mode_lets_no_foreign_page_proxy_or_neighbour_in(transactional_db, settings):
    settings.OPEN_API = True
    settings.ALLOWED_HOSTS = ["*"]

    assert await handshake({}, peer="192.0.2.7") == 401
    assert await handshake({"host": "evil.example"}) == 401
    for name in ("x-forwarded-for", "x-real-ip", "forwarded", "via"):
        assert await handshake({name: "192.0.2.7"}) == 401, name
    assert await handshake({"origin": "https://evil.example"}) == 403
    assert await handshake({"origin": "null"}) == 403


async def test_a_revoked_key_is_refused_in_open_mode_too(transactional_db, settings):
    def revoked() -> str:
        key, secret = key_issue(name="old", role="operator", actor="alice")
        key_revoke(key, actor="alice")
        return secret

    settings.OPEN_API = True

    assert await handshake({"x-api-key": await sync_to_async(revoked)()}) == 401
