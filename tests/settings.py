"""Settings of the test run: a data folder of its own, the database of the environment."""

import hashlib
import os
import tempfile
from pathlib import Path

# One folder for each checkout and each worker: they may run their tests at the same time.
_CHECKOUT = hashlib.sha256(__file__.encode()).hexdigest()[:8]
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
_DATA = Path(tempfile.gettempdir()) / f"fleetdesk-test-{os.getuid()}-{_CHECKOUT}" / _WORKER
os.environ["FLEETDESK_DATA"] = str(_DATA)

from platform_site.settings import *  # noqa: E402, F403 (the folder has to be known first)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
SESSION_PORTS = ["80"]  # the port of Django's test client

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in real life: threads of one test share it. Nobody needs it after a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] = (  # noqa: F405
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    )
else:
    # A pool would keep connections to a database that the test run wants to drop.
    DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"  # noqa: F405

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 (whitenoise warns without it)

ANSWER_WAIT_S = 0.0  # the tests run the agents themselves
