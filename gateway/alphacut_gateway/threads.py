"""Threads for work on pictures, so that the event loop never computes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Threads:
    """A fixed number of threads; what does not fit waits its turn."""

    def __init__(self, number: int) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="gateway")

    async def run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call ``function`` in one of the threads and return what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, functools.partial(function, *arguments))

    def close(self) -> None:
        """Let running work finish and drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)
