"""HTTP throughput with 16 connections under a WSGI server, beside a bare insert and select."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

from bench import load
from bench.database import database
from bench.platform import Running, wsgi
from bench.processes import ROOT, manage

CONNECTIONS = 16
DATA = ROOT / "tests" / "data" / "online_retail_2010-12.csv"
PGBENCH = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))), Path("pgbench"))


def pgbench(url: str, statement: str) -> float:
    """Statements a second of pgbench over as many connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(statement)
        script.flush()
        command = [
            str(PGBENCH),
            "-n",
            "-c",
            str(CONNECTIONS),
            "-j",
            "2",
            "-T",
            "5",
            "-f",
            script.name,
            url,
        ]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", output)
    assert found, output
    return float(found[1])


def submit(platform: Running) -> load.Load:
    """POST /api/v1/tasks."""
    body = {"title": "t", "description": "d", "required_capabilities": ["nobody_has_it"]}
    payload = load.request("POST", "/api/v1/tasks", platform.key, json.dumps(body).encode())
    return load.run(platform.port, lambda _: payload, connections=CONNECTIONS)


def claim(platform: Running) -> load.Load:
    """POST /api/v1/agents/{id}/claim of one task, by 16 agents; enough tasks wait."""
    for number in range(CONNECTIONS):
        body = {
            "name": f"bench-{number}",
            "agent_id": f"bench-{number}",
            "capabilities": ["claimed"],
            "max_concurrency": 1000,
        }
        once(platform, "POST", "/api/v1/agents", body)
    task = {"title": "t", "description": "d", "required_capabilities": ["claimed"]}
    for _ in range(20):
        once(platform, "POST", "/api/v1/tasks/batch", {"tasks": [task] * 500})
    empty = json.dumps({"max": 1, "wait_s": 0}).encode()

    def make(number: int) -> bytes:
        path = f"/api/v1/agents/bench-{number % CONNECTIONS}/claim"
        return load.request("POST", path, platform.key, empty)

    return load.run(platform.port, make, connections=CONNECTIONS)


def orders(platform: Running) -> load.Load:
    """GET /api/orders?limit=20 over the imported orders."""
    payload = load.request("GET", "/api/orders?limit=20", platform.key)
    return load.run(platform.port, lambda _: payload, connections=CONNECTIONS)


def once(platform: Running, method: str, path: str, body: object) -> None:
    """One request that has to succeed."""
    payload = load.request(method, path, platform.key, json.dumps(body).encode())
    status = load.send(platform.port, payload)
    assert status < 400, f"{method} {path} answered {status}"


def run() -> None:
    """Print the table."""
    with database() as url:
        select_1 = pgbench(url, "SELECT 1;")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, x text)")
        bare = {
            "insert": pgbench(url, "INSERT INTO bare (x) VALUES ('x');"),
            "select": pgbench(url, "SELECT * FROM bare ORDER BY id DESC LIMIT 20;"),
        }
        with wsgi(url) as platform:
            manage("import_orders", str(DATA), **platform.environment)
            rows = [
                ("POST /api/v1/tasks", submit(platform), "insert"),
                ("POST /api/v1/agents/{id}/claim", claim(platform), "insert"),
                ("GET /api/orders?limit=20", orders(platform), "select"),
            ]
    print(f"\nHTTP, {CONNECTIONS} connections, two WSGI processes on PostgreSQL")
    print(f"{'':34}{'req/s':>8}{'p50 ms':>8}{'p95':>8}{'p99':>8}{'to bare SQL':>14}  failures")
    for name, done, kind in rows:
        ratio = f"1/{bare[kind] / done.per_second:.0f} {kind}" if done.per_second else "-"
        times = "".join(f"{done.percentile(share):>8.1f}" for share in (0.5, 0.95, 0.99))
        print(f"{name:34}{done.per_second:>8.0f}{times}{ratio:>14}  {done.failures or 'none'}")
    rates = ", ".join(f"{name} {rate:.0f}/s" for name, rate in bare.items())
    print(f"pgbench: SELECT 1 {select_1:.0f}/s, {rates}")
