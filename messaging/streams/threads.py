"""The few threads in which streams ask the database; thousands of sockets share them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="streams")
# The tail never queues behind clients that catch up.
_tail_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tail")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that uses the database, without blocking the loop."""
    return await _in(_threads, function, *args, **kwargs)


async def in_tail_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for the one reader that all others wait for."""
    return await _in(_tail_thread, function, *args, **kwargs)


async def _in(
    threads: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    def call() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(threads, call)
