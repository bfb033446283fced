"""Commands as users start them: the demo, one agent alone, an import beside it all, the docs."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.stress.platform import ROOT, Platform, free_port

pytestmark = pytest.mark.stress
PATIENCE_S = 120.0
SALES = ROOT / "tests/data/online_retail_2010-12.csv"
INVOICES = 12
ATTEMPTS = (
    "SELECT DISTINCT registry_agent.agent_id FROM tasks_attempt"
    " JOIN registry_agent ON registry_agent.id = tasks_attempt.agent_id"
)


def wait_until(holds: Callable[[], object], platform: Platform) -> None:
    """Poll until it holds; fail with the platform's log if it does not in time."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            pytest.fail(f"It did not happen in time:\n{platform.log[-3000:]}")
        time.sleep(0.1)


def few_sales(folder: Path) -> Path:
    """The first invoices of the sales file."""
    with SALES.open() as lines:
        header, seen, chosen = next(lines), set(), []
        for line in lines:
            seen.add(line.partition(",")[0])
            if len(seen) > INVOICES:
                break
            chosen.append(line)
    path = folder / "few.csv"
    path.write_text("".join([header, *chosen]))
    return path


@contextmanager
def running(platform: Platform, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the platform at work; ended as Ctrl+C or an init system would."""
    process = platform.popen("manage.py", *arguments)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0, platform.log[-3000:]
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether somebody answers HTTP there."""
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True


def who_worked(platform: Platform) -> set[str]:
    """The agents that began at least one task."""
    return {agent_id for (agent_id,) in platform.sql(ATTEMPTS)}


def test_in_a_demo_orders_appear_by_themselves_until_the_server_stops():
    with Platform("sqlite", env={"DEMO": "1"}) as platform:
        shipped = "SELECT count(*) FROM orders_order WHERE status = 'shipped'"
        wait_until(lambda: platform.sql(shipped) >= [(2,)], platform)

        assert platform.stop() == 0

        key = "SELECT count(*) FROM common_apikey WHERE name = 'demo shopper'"
        assert platform.sql(f"{key} AND revoked_at IS NULL") == [(0,)]
        assert platform.sql(key) == [(1,)]
        assert "Traceback" not in platform.log
        platform.assert_sound()


def test_one_agent_alone_works_and_answers_its_routes_on_the_port_that_was_chosen():
    port = free_port()
    with Platform("sqlite", agents=False, env={"API_PORT": str(port)}) as platform:
        url = f"http://127.0.0.1:{port}"
        imported = platform.manage("import_orders", str(few_sales(platform.folder)))
        assert imported.returncode == 0, imported.stderr
        with running(platform, "run_agent", "order"):
            wait_until(lambda: answers(f"{url}/health"), platform)
            with httpx.Client(base_url=url, headers=platform.headers, timeout=20) as http:
                assert http.get("/health").json()["agent"] == "order_agent_v3"
                for path in ("/api/orders", "/orders", "/api/orders/", "/orders/stats"):
                    assert http.get(path).status_code == 200, path
                assert http.get("/api/payments").status_code == 404
                assert http.get("/api/v1/tasks").status_code == 404

            with httpx.Client(base_url=url, headers=platform.headers, timeout=20) as http:
                order = http.get("/api/orders?limit=1").json()["orders"][0]["id"]
                held = http.post(f"/api/orders/{order}/holds", json={"reason": "manual"})
                hold = held.json()["id"]
                released = http.post(f"/api/orders/{order}/holds/{hold}/release", json={})
                assert (held.status_code, released.status_code) == (201, 200), released.text
            wait_until(lambda: "order_agent_v3" in who_worked(platform), platform)

            taken = platform.manage("run_agent", "payment", "--port", str(port))

        assert taken.returncode == 1
        assert taken.stdout == ""
        assert taken.stderr.startswith(f"CommandError: Port {port} on 127.0.0.1 cannot be opened")
        assert "Choose another one" in taken.stderr
        assert "Traceback" not in taken.stderr
        assert who_worked(platform) == {"order_agent_v3"}
        platform.assert_sound()


def test_only_the_agents_that_were_named_work():
    with Platform("sqlite", agents=False) as platform:
        imported = platform.manage("import_orders", str(few_sales(platform.folder)))
        assert imported.returncode == 0, imported.stderr
        chosen = {"order_agent_v3", "fraud_detection_agent_v3"}

        with running(platform, "run_agents", "--only", "order, fraud"):
            wait_until(lambda: chosen <= who_worked(platform), platform)

        assert who_worked(platform) == chosen
        listed = platform.manage("run_agents", "--list").stdout.splitlines()
        assert [line.split()[0] for line in listed if " order " in line] == ["8000"]
        platform.assert_sound()


def test_an_import_beside_a_working_server_is_worked_on_by_it():
    """Two processes write to one SQLite file, and the bell does not ring from one to the other."""
    with Platform("sqlite") as platform:
        imported = platform.manage("import_orders", str(few_sales(platform.folder)))

        assert imported.returncode == 0, imported.stderr
        waiting = "SELECT count(*) FROM orders_order WHERE status IN ('pending', 'confirmed')"
        on_hold = "EXISTS (SELECT 1 FROM orders_orderhold WHERE order_id = orders_order.id)"
        wait_until(lambda: platform.sql(f"{waiting} AND NOT {on_hold}") == [(0,)], platform)

        assert platform.sql("SELECT count(*) FROM orders_order") == [(INVOICES,)]
        assert "database is locked" not in imported.stderr + platform.log
        checked = platform.manage("reconcile")
        assert checked.returncode == 0, checked.stdout
        platform.assert_sound()


def test_the_agent_in_thirty_lines_works_as_it_is_printed():
    page = (ROOT / "docs/agent-in-30-lines.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]
    with Platform("sqlite", agents=False) as platform:
        agent, submit = (block.replace("http://127.0.0.1:8000", platform.url) for block in blocks)
        working = platform.popen("-c", agent)
        try:
            assert platform.popen("-c", submit).wait(PATIENCE_S) == 0, platform.log[-3000:]

            done = "SELECT count(*) FROM tasks_task WHERE status = 'completed'"
            wait_until(lambda: platform.sql(done) == [(1,)], platform)
        finally:
            working.kill()
            working.wait()

        assert agent.count("\n") <= 30
        assert who_worked(platform) == {"thumbnails-1"}
        [(result,)] = platform.sql("SELECT result FROM tasks_task")
        assert json.loads(result) == {"thumbnail": "README.md.200.png"}
        platform.assert_sound()
