"""Many images at once on an event loop: in order, with errors in their places and bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

from alphacut_client._batch import Raise, Return
from alphacut_client._limiter import Limiter
from alphacut_core.errors import AlphacutError


async def stream(
    function: Callable[[Any], Awaitable[Any]],
    images: Iterable[Any] | AsyncIterable[Any],
    limiter: Limiter,
    on_error: Raise | Return,
) -> AsyncGenerator[Any, None]:
    """Yield what ``function`` makes of each image, or with ``on_error="return"`` its error, in order.

    No more images than ``limiter`` allows are taken and not yet yielded; closing cancels what is under way.
    """
    running: deque[asyncio.Task[Any]] = deque()
    begun = 0
    try:
        async with aclosing(_iterate(images)) as source:
            async for image in source:
                running.append(asyncio.ensure_future(_one(function, begun, image, limiter, on_error)))
                begun += 1
                while len(running) >= limiter.limit():
                    yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _one(
    function: Callable[[Any], Awaitable[Any]], index: int, image: Any, limiter: Limiter, on_error: Raise | Return
) -> Any:
    try:
        return await function(image)
    except AlphacutError as error:
        error.index = index
        if on_error == "raise":
            raise
        return error
    finally:
        limiter.finished()


async def _iterate(images: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image
