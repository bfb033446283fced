"""The peer: Procrastinate on the same PostgreSQL."""

import os

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

URL = os.environ.get("BENCH_DATABASE", "")

app = App(connector=PsycopgConnector(conninfo=URL) if URL else SyncPsycopgConnector(conninfo=URL))


@app.task(name="bench.noop", queue="bench")
def noop(number: int) -> None:
    """The work of every peer: nothing."""
