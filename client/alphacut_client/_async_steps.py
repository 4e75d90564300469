"""Walking an image's steps on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from typing import Any

from alphacut_client._async_connection import AsyncConnection
from alphacut_client._steps import Compute, Send, Steps
from alphacut_client.timings import Observer, timed
from alphacut_core.errors import AlphacutError


async def walk(
    steps: Steps,
    connection: AsyncConnection,
    pool: Executor,
    observer: Observer | None,
    on_overload: Callable[[], None] | None = None,
) -> Any:
    """Do the steps: what computes in ``pool``, what waits on the loop, none after a close; leave no call behind."""
    loop = asyncio.get_running_loop()
    sent: list[asyncio.Task[Any]] = []
    with closing(steps):
        advance = partial(steps.send, None)
        try:
            while True:
                try:
                    step = advance()
                except StopIteration as end:
                    return end.value
                try:
                    if connection.closed:
                        raise connection.lost()
                    if isinstance(step, Compute):
                        result = await loop.run_in_executor(pool, _compute, step, connection, observer)
                    elif isinstance(step, Send):
                        result = asyncio.ensure_future(connection.answer(step, on_overload))
                        sent.append(result)
                    else:
                        with timed(observer, "wait"):
                            result = await step.ticket
                except AlphacutError as error:
                    advance = partial(steps.throw, error)
                else:
                    advance = partial(steps.send, result)
        finally:
            for task in sent:
                task.cancel()
            # Waits for the cancelled ones, and takes the errors that nobody asked for any more.
            await asyncio.gather(*sent, return_exceptions=True)


def _compute(step: Compute, connection: AsyncConnection, observer: Observer | None) -> Any:
    if connection.closed:  # while this waited for a thread
        raise connection.lost()
    with timed(observer, step.stage):
        return step.function()
