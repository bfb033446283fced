"""The platform under measurement: embedded, or its HTTP under a WSGI server."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.processes import PYTHON, free_port, manage, running, wait_for


@dataclass(frozen=True)
class Running:
    """Where it answers, with which key, in which process."""

    port: int
    key: str
    pid: int
    environment: dict[str, str]


@contextmanager
def wsgi(url: str) -> Iterator[Running]:
    """HTTP by granian on PostgreSQL: two processes, as many as this machine has cores."""
    port, key = free_port(), "fd_" + secrets.token_hex(20)
    with tempfile.TemporaryDirectory() as data:
        more = _environment(port, key, data, DATABASE_URL=url, DATABASE_POOL="8")
        manage("setup", **more)
        command = [PYTHON, "-m", "granian", "--interface", "wsgi", "--workers", "2"]
        command += [
            "--blocking-threads",
            "4",
            "--port",
            str(port),
            "platform_site.wsgi:application",
        ]
        with running(command, **more) as process:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield Running(port, key, process.pid, more)


@contextmanager
def embedded() -> Iterator[Running]:
    """`make run` on a fresh folder, with all 27 agents and their ports where these are free."""
    port, key = free_port(), "fd_" + secrets.token_hex(20)
    with tempfile.TemporaryDirectory() as data:
        more = _environment(port, key, data, AGENT_PORTS="1")
        manage("setup", **more)
        with running([PYTHON, "manage.py", "serve"], **more) as process:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield Running(port, key, process.pid, more)


def _environment(port: int, key: str, data: str, **more: str) -> dict[str, str]:
    return {
        "PORT": str(port),
        "FLEETDESK_API_KEY": key,
        "FLEETDESK_DATA": data,
        "REDIS_URL": "",
        "LOG_LEVEL": "WARNING",
        **more,
    }
