"""Defers jobs to Procrastinate. `python -m bench.defer COUNT BATCH`."""

import sys

from procrastinate import SyncPsycopgConnector

from bench.peer_procrastinate import URL, app, noop

if __name__ == "__main__":
    count, batch = int(sys.argv[1]), int(sys.argv[2])
    with app.replace_connector(SyncPsycopgConnector(conninfo=URL)) as sync_app, sync_app.open():
        for start in range(0, count, batch):
            if batch == 1:
                noop.defer(number=start)
            else:
                noop.batch_defer(*({"number": n} for n in range(start, start + batch)))
