"""`DEMO=1`: a simulated shopper beside the server, with a key of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from ecommerce.orders.demo import shop_forever
from platform_site.common.keys import key_issue, key_revoke
from platform_site.common.models import ApiKey

ACTOR = "system"
KEY_NAME = "demo shopper"


@contextmanager
def simulated_shopper(url: str) -> Iterator[None]:
    """Let somebody buy over the public routes while the block runs, where DEMO is set."""
    if not settings.DEMO:
        yield
        return
    stop = threading.Event()
    key = shopper_key()
    threading.Thread(
        target=shop_forever, args=(url.rstrip("/"), key, stop), name="shopper", daemon=True
    ).start()
    try:
        yield
    finally:
        stop.set()


def shopper_key() -> str:
    """A new key for this start; those of earlier starts end."""
    for old in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        key_revoke(old, actor=ACTOR)
    return key_issue(name=KEY_NAME, role="api_user", actor=ACTOR)[1]
