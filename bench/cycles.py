"""Task cycles a second: submit, claim, complete, each durable; beside Celery and Procrastinate.

Two worker processes take the work while one process submits it; the clock runs from the first
submission to the last completion. Workers are up before it starts.
"""

import subprocess
import time
from contextlib import ExitStack

import psycopg

from bench.database import database
from bench.processes import PYTHON, ROOT, environment, manage, running

COUNT = 2000
WORKERS = 2


def ours(url: str, batch: int) -> float:
    """Cycles a second on PostgreSQL, `batch` tasks in each call."""
    count = COUNT if batch == 1 else COUNT * 3
    manage("flush", "--no-input", DATABASE_URL=url)
    command = [PYTHON, "-m", "bench.submitter", str(batch), str(count), str(WORKERS)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(DATABASE_URL=url, REDIS_URL=""),
        check=True,
        capture_output=True,
        text=True,
    )
    return count / float(done.stdout)


def celery() -> float:
    """Cycles a second of Celery on Redis with acks_late, two worker processes."""
    from bench.peer_celery import DONE, app, noop, store  # noqa: PLC0415 (connects when imported)

    store.flushdb()
    command = ["worker", "--concurrency", str(WORKERS), "--loglevel", "ERROR", "-P", "prefork"]
    with running([PYTHON, "-m", "celery", "-A", "bench.peer_celery", *command]):
        while not app.control.ping(timeout=0.5):
            time.sleep(0.2)
        began = time.perf_counter()
        for number in range(COUNT):
            noop.delay(number)
        while int(store.get(DONE) or 0) < COUNT:
            time.sleep(0.005)
        return COUNT / (time.perf_counter() - began)


def procrastinate(url: str, batch: int) -> float:
    """Cycles a second of Procrastinate, two worker processes; `batch` jobs in each defer."""
    more = {"BENCH_DATABASE": url, "PROCRASTINATE_APP": "bench.peer_procrastinate.app"}
    command = [PYTHON, "-m", "procrastinate"]
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
        if known == (None,):
            subprocess.run(
                [*command, "schema", "--apply"], cwd=ROOT, env=environment(**more), check=True
            )
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        with ExitStack() as stack:
            for _ in range(WORKERS):
                worker = [*command, "worker", "-q", "bench", "--concurrency", "10"]
                stack.enter_context(running(worker, **more))
            time.sleep(3)  # it has no way to ask whether a worker is up
            began = time.perf_counter()
            defer = [PYTHON, "-m", "bench.defer", str(COUNT), str(batch)]
            subprocess.run(defer, cwd=ROOT, env=environment(**more), check=True)
            left = "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'"
            while connection.execute(left).fetchone() != (0,):
                time.sleep(0.02)
            return COUNT / (time.perf_counter() - began)


def run() -> None:
    """Print the table."""
    with database() as url:
        manage("migrate", "--no-input", DATABASE_URL=url)
        mine = {batch: ours(url, batch) for batch in (1, 10, 50)}
    with database() as url:
        peer = {batch: procrastinate(url, batch) for batch in (1, 50)}
    beside = celery()
    print("\nFull task cycles per second (submit, claim, complete; two workers)")
    rows = [(f"Fleetdesk, PostgreSQL, batches of {batch}", rate) for batch, rate in mine.items()]
    rows += [(f"Procrastinate, batches of {batch}", rate) for batch, rate in peer.items()]
    rows.append(("Celery on Redis, acks_late", beside))
    print(f"{'':44}{'cycles/s':>10}{'to Celery':>11}{'to Procr.':>11}")
    for name, rate in rows:
        print(f"{name:44}{rate:>10.0f}{rate / beside:>10.2f}x{rate / max(peer.values()):>10.2f}x")
