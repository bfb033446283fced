"""The peer: Celery on Redis, acknowledged late; each task counts itself in Redis when done."""

import os

import redis
from celery import Celery

REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/9")
DONE = "bench:done"

app = Celery("bench", broker=REDIS, backend=None)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=10,
    broker_connection_retry_on_startup=True,
)
store = redis.Redis.from_url(REDIS)


@app.task(name="bench.noop")
def noop(number: int) -> None:
    """The work of every peer: nothing, but known to be done."""
    store.incr(DONE)
