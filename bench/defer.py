"""Defers jobs to Procrastinate. `python -m bench.defer COUNT BATCH`."""

import sys

from procrastinate import SyncPsycopgConnector
from procrastinate.types import JSONDict

from bench.peer_procrastinate import URL, app, noop

if __name__ == "__main__":
    count, batch = int(sys.argv[1]), int(sys.argv[2])
    with app.replace_connector(SyncPsycopgConnector(conninfo=URL)) as sync_app, sync_app.open():
        for start in range(0, count, batch):
            if batch == 1:
                noop.defer(number=start)
            else:
                jobs: list[JSONDict] = [
                    {"number": number} for number in range(start, start + batch)
                ]
                noop.batch_defer(*jobs)
