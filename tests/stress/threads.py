"""Many threads that start at the same moment, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection


def at_once(number, work):
    """`work(index)` in so many threads; what each returned or raised, in order."""
    barrier = Barrier(number)

    def run(index):
        try:
            barrier.wait(timeout=30)
            return work(index)
        except Exception as error:  # noqa: BLE001 (the test looks at what was raised)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def of_kind(results, kind):
    """How many results are of that class."""
    return sum(isinstance(result, kind) for result in results)
