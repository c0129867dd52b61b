"""The threads that asynchronous code reaches the database through: few, with a bounded queue and a deadline.

Their own pool, because asgiref's is a single thread for everything that is thread-sensitive.
"""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import OperationalError
from psycopg.errors import QueryCanceled

from common.errors import Unavailable

WAITING_PER_THREAD: Final = 64

R = TypeVar("R")


class DatabaseThreads:
    """At most `size` calls run and `size` × WAITING_PER_THREAD more wait."""

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="database")
        self._places = BoundedSemaphore(size * (1 + WAITING_PER_THREAD))

    async def run(self, function: Callable[[float], R], deadline: float) -> R:
        """`function(monotonic time of the deadline)`. Raises Unavailable when there is no place or no answer in time.

        A call given up while it waits never starts; one that runs is ended by its statement timeout.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many calls wait for the database.", retry_after=1)
        future = self._threads.submit(copy_context().run, function, time.monotonic() + deadline)
        future.add_done_callback(self._free_place)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), deadline)
        except TimeoutError as error:
            raise too_late() from error
        except OperationalError as error:
            # Of the two clocks the statement timeout's may be the first.
            if isinstance(error.__cause__, QueryCanceled):
                raise too_late() from error
            raise

    def _free_place(self, _: "Future[Any]") -> None:
        self._places.release()


def too_late() -> Unavailable:
    return Unavailable("The database did not answer in time.", retry_after=1)


@cache
def threads() -> DatabaseThreads:
    """The pool of this process, as large as its pool of connections."""
    return DatabaseThreads(settings.ENVIRONMENT.connection_pool_size)


async def run(function: Callable[[float], R], deadline: float) -> R:
    return await threads().run(function, deadline)


# Threads do not survive a fork; the child makes its own.
os.register_at_fork(after_in_child=threads.cache_clear)
