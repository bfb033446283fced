"""The platform as a user starts it: `manage.py serve` in a process of its own, on free ports.

with Platform(database="postgres") as platform:
    httpx.get(f"{platform.url}/health")
    platform.kill()   # kill -9
    platform.start()  # again, on the same data and port
"""

import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import environ
import httpx
import psycopg

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("STRESS_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
START_WITHIN_S = 60.0
SECRETS = ("SECRET_KEY", "JWT_SECRET", "DATABASE_URL", "REDIS_URL", "OPEN_API", "FLEETDESK_DATA")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Platform:
    """One data folder, one database and the process that serves them.

    `agents=False` starts no runner threads, `agent_ports=True` listens on the agents' ports too.
    `env` adds variables, REDIS_URL for example.
    """

    def __init__(
        self,
        database: str = "sqlite",
        *,
        agents: bool = True,
        agent_ports: bool = False,
        env: dict[str, str] | None = None,
    ) -> None:
        self.kind, self.agents, self.agent_ports = database, agents, agent_ports
        self.more_env = env or {}
        self.folder = Path(tempfile.mkdtemp(prefix="fleetdesk-stress-"))
        self.port = free_port()
        self.key = f"fd_{secrets.token_hex(20)}"
        self.password = secrets.token_urlsafe(16)
        self.process: subprocess.Popen[bytes] | None = None
        self.database_url = self._database()

    @property
    def url(self) -> str:
        """Where the console and all APIs answer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """The operator's key."""
        return {"X-API-Key": self.key}

    @property
    def pid(self) -> int:
        """The process that serves at present."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What the processes have written so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which the platform and its helpers run."""
        inherited = {name: value for name, value in os.environ.items() if name not in SECRETS}
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "platform_site.settings",
            "FLEETDESK_DATA": str(self.folder / "var"),
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "AGENT_PORTS": str(int(self.agent_ports)),
            "FLEETDESK_API_KEY": self.key,
            "FLEETDESK_ADMIN_PASSWORD": self.password,
            **self.more_env,
        }

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against this platform's database."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A process of Python in this platform's environment, leader of a group of its own."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        arguments = [] if self.agents else ["--no-agents"]
        self.process = self.popen(str(ROOT / "manage.py"), "serve", *arguments)
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/health", timeout=5)
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"The server ended:\n{self.log[-3000:]}") from None
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"The server did not answer:\n{self.log[-3000:]}")

    def kill(self) -> None:
        """`kill -9`, and wait until the process is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, *, within_s: float = 25) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """What the database itself says."""
        if self.kind == "postgres":
            with psycopg.connect(_dsn(self.database_url)) as connection:
                return connection.execute(query).fetchall()
        with closing(sqlite3.connect(self.folder / "fleetdesk.sqlite3", timeout=20)) as connection:
            return connection.execute(query).fetchall()

    def assert_sound(self) -> None:
        """What holds after every stress test: none runs without a lease."""
        live = "SELECT task_id FROM tasks_lease WHERE ended_at IS NULL"
        leased = "('running', 'assigned')"
        tasks = "SELECT id FROM tasks_task WHERE status"
        assert self.sql(f"{tasks} IN {leased} AND id NOT IN ({live})") == []
        assert self.sql(f"{tasks} NOT IN {leased} AND id IN ({live})") == []

    def __enter__(self) -> Self:
        prepared = self.manage("setup")
        if prepared.returncode:
            raise RuntimeError(f"setup failed:\n{prepared.stdout}{prepared.stderr}")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.kind == "postgres":
            with psycopg.connect(_dsn(POSTGRES), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _name(self) -> str:
        return self.folder.name.replace("-", "_").lower()

    def _database(self) -> str:
        if self.kind == "sqlite":
            return f"sqlite:///{self.folder / 'fleetdesk.sqlite3'}"
        with psycopg.connect(_dsn(POSTGRES), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self._name}")
        return f"{POSTGRES.rsplit('/', 1)[0]}/{self._name}"


def _dsn(url: str) -> str:
    parts = environ.Env.db_url_config(url)
    names = [("host", "HOST"), ("port", "PORT"), ("user", "USER"), ("password", "PASSWORD")]
    names.append(("dbname", "NAME"))
    return " ".join(f"{name}={parts[key]}" for name, key in names if parts.get(key))
