"""`DEMO=1`: a simulated shopper beside the server, with a key of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from ecommerce.orders.demo import TIMEOUT_S, shop_forever
from platform_site.common.keys import key_issue, key_revoke
from platform_site.common.models import ApiKey

ACTOR = "system"
KEY_NAME = "demo shopper"


@contextmanager
def simulated_shopper(url: str) -> Iterator[None]:
    """Let somebody buy over the public routes while the block runs, where DEMO is set."""
    shopper_keys_end()  # of a server that was killed, whether or not there is a demo again
    if not settings.DEMO:
        yield
        return
    stop = threading.Event()
    given = (url.rstrip("/"), shopper_key(), stop)
    shopper = threading.Thread(target=shop_forever, args=given, name="shopper", daemon=True)
    shopper.start()
    try:
        yield
    finally:
        stop.set()
        shopper.join(TIMEOUT_S)
        shopper_keys_end()


def shopper_key() -> str:
    """A new key, known to this process alone; those of earlier starts end."""
    shopper_keys_end()
    return key_issue(name=KEY_NAME, role="api_user", actor=ACTOR)[1]


def shopper_keys_end() -> None:
    """Nobody buys with a key of a demo any more."""
    for old in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        key_revoke(old, actor=ACTOR)
