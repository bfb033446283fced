"""Processes of a benchmark: each in a group of its own, ended by pid."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """Ours for a child process."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "platform_site.settings", **more}


@contextmanager
def running(command: list[str], **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with its children when the block ends."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**more),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def manage(*words: str, **more: str) -> None:
    """A management command, to its end."""
    subprocess.run(
        [PYTHON, "manage.py", *words],
        cwd=ROOT,
        env=environment(**more),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def wait_for(url: str, *, within_s: float = 60) -> None:
    """Until the address answers anything at all."""
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 (our own server)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} does not answer.")


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB, as the kernel counts it."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except OSError:
            continue
        if int(lines["Pid"]) == pid or int(lines["PPid"]) == pid:
            total += int(lines.get("VmRSS", "0 kB").split()[0])
    return total / 1024
