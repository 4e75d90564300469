"""Threads for work on pictures, so that the event loop never computes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Threads:
    """A fixed number of threads; what does not fit waits its turn."""

    def __init__(self, number: int) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="gateway")

    async def run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call ``function`` in one of the threads and return what it returns.

        Who gives up drops it while it waits for a thread. Once it runs it cannot be stopped and is waited for, so that
        what it works on counts as under way until it is not.
        """
        running = self._pool.submit(function, *arguments)
        waiting = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([waiting])
            raise

    def close(self) -> None:
        """Let running work finish and drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)
