"""Many images at once, on an event loop: N in, N out, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Iterable
from contextlib import aclosing
from functools import partial
from typing import Any

from alphacut_client._limiter import Limiter
from alphacut_client._outcome import Progress, Raise, Return, Wish, answer_or_error, check_batch
from alphacut_client._window import Due, Window

_Task = asyncio.Task[Any]


class AsyncBatch:
    """A client's way of working on batches, for any number of tasks.

    Args:
        one: Makes of a wish and an image its answer.
        limiter: How many are under way.
        check_open: Refuses work where none can be done any more.
    """

    def __init__(
        self,
        one: Callable[[Wish, Any], Coroutine[Any, Any, Any]],
        limiter: Limiter,
        check_open: Callable[[], None],
    ) -> None:
        self._one = one
        self._limiter = limiter
        self._check_open = check_open

    async def answers(
        self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, progress: Progress
    ) -> list[Any]:
        """Return one answer, or with ``on_error="return"`` one error, for each image."""
        answers: dict[int, Any] = {}
        async with aclosing(self.stream(images, wish, on_error, ordered=False)) as answered:
            async for index, answer in answered:
                answers[index] = answer
                if progress is not None:
                    progress(len(answers))
        return [answers[index] for index in range(len(answers))]

    def stream(
        self, images: Iterable[Any] | AsyncIterable[Any], wish: Wish, on_error: Raise | Return, *, ordered: bool
    ) -> AsyncGenerator[tuple[int, Any], None]:
        """Yield index and answer, or with ``on_error="return"`` error, of each image, in order or as it is there."""
        self._check_open()
        check_batch(images, on_error)
        return self._stream(images, wish, on_error, ordered=ordered)

    async def _stream(
        self, images: Iterable[Any] | AsyncIterable[Any], wish: Wish, on_error: Raise | Return, *, ordered: bool
    ) -> AsyncGenerator[tuple[int, Any], None]:
        one = partial(self._one, wish)
        async with aclosing(_side_by_side(one, images, self._limiter, ordered=ordered)) as outcomes:
            async for index, outcome in outcomes:
                yield index, answer_or_error(index, outcome, on_error)


async def _side_by_side(
    function: Callable[[Any], Coroutine[Any, Any, Any]],
    images: Iterable[Any] | AsyncIterable[Any],
    limiter: Limiter,
    *,
    ordered: bool,
) -> AsyncGenerator[tuple[int, _Task], None]:
    """Run ``function`` for every image in as many tasks as ``limiter`` allows; closing cancels what is under way."""
    window: Window[_Task] = Window(limiter, ordered=ordered)
    ended: asyncio.Queue[tuple[int, _Task]] = asyncio.Queue()
    running: set[_Task] = set()
    async with aclosing(_iterate(images)) as source:
        try:
            while (due := window.due()) is not Due.NOTHING:
                if due is Due.OUTCOME:
                    yield window.hand_out()
                elif due is Due.END:
                    window.end(*await ended.get())
                else:
                    try:
                        image = await anext(source)
                    except StopAsyncIteration:
                        window.exhaust()
                        continue
                    task = asyncio.create_task(function(image))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(partial(_note, ended, window.begin()))
        finally:
            left = tuple(running)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


def _note(ended: asyncio.Queue[tuple[int, _Task]], index: int, task: _Task) -> None:
    if not task.cancelled():
        task.exception()  # asked for, or asyncio logs those that a batch ends without, at the first error of another
    ended.put_nowait((index, task))


async def _iterate(images: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image
