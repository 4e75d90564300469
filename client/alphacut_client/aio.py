"""The client for event loops: images in, cut-outs out."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from tritonclient.grpc import service_pb2

from alphacut_client import health
from alphacut_client._async_connection import AsyncConnection
from alphacut_client._async_steps import walk
from alphacut_client._batch import Progress, Raise, Return, check_batch, check_window
from alphacut_client._kinds import ImageLike, Kind
from alphacut_client._steps import Steps
from alphacut_client._wire import Prediction
from alphacut_client._work import RenderOn, Work
from alphacut_client.client import DEFAULT_URL
from alphacut_client.stats import ModelStatistics, read_statistics
from alphacut_client.timings import Observer
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline
from alphacut_core.errors import AlphacutError
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Decode, Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords


class AsyncClient:
    """``Client`` for the tasks of one event loop: the same arguments, results, errors and retries.

    Decoding, compositing and encoding run in threads of its own, one a processor, never on the loop. A task
    that is cancelled cancels its inference on the server. Create it where the loop runs.

    Example:
        >>> async with AsyncClient("127.0.0.1:8001") as client:
        ...     png = await client.remove("photo.jpg")
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        limits: Limits = DEFAULT_LIMITS,
        timeout_s: float = 30.0,
        retry_for_s: float = 60.0,
        window: int = 16,
        render_on: RenderOn = "client",
        pipeline: Pipeline = DEFAULT_PIPELINE,
        observer: Observer | None = None,
    ) -> None:
        check_window(window)
        self._work = Work(pipeline, limits, render_on)
        self._connection = AsyncConnection(url, timeout_s=timeout_s, retry_for_s=retry_for_s)
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="alphacut")
        self._window = window
        self._observer = observer

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancel what is under way and close the connection; closing twice is fine."""
        await self._connection.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._connection.url

    @overload
    async def remove(self, image: str | Path, **options: Unpack[CutoutKeywords]) -> bytes: ...
    @overload
    async def remove(self, image: Kind, **options: Unpack[CutoutKeywords]) -> Kind: ...
    async def remove(self, image: Any, **options: Unpack[CutoutKeywords]) -> Any:
        """Make the background of one image transparent; as ``Client.remove``."""
        return await self._walk(self._work.answer(image, Options(output="cutout", **options)))

    @overload
    async def mask(self, image: str | Path, **options: Unpack[MaskKeywords]) -> bytes: ...
    @overload
    async def mask(self, image: Kind, **options: Unpack[MaskKeywords]) -> Kind: ...
    async def mask(self, image: Any, **options: Unpack[MaskKeywords]) -> Any:
        """Return the mask of one image; as ``Client.mask``."""
        return await self._walk(self._work.answer(image, Options(output="mask", **options)))

    async def predict(self, image: ImageLike, *, decode: Decode = "exact") -> Prediction:
        """Return the engine's mask and confidence; as ``Client.predict``."""
        prediction: Prediction = await self._walk(self._work.predict(image, Options(decode=decode)))
        return prediction

    async def remove_batch(
        self,
        images: Iterable[Any],
        *,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[CutoutKeywords],
    ) -> list[Any]:
        """Make the background of many images transparent, N in, N out, in order; as ``Client.remove_batch``."""
        return await self._collect(images, Options(output="cutout", **options), on_error, progress)

    async def mask_batch(
        self,
        images: Iterable[Any],
        *,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[MaskKeywords],
    ) -> list[Any]:
        """Return the masks of many images, N in, N out, in order; as ``Client.mask_batch``."""
        return await self._collect(images, Options(output="mask", **options), on_error, progress)

    def stream(
        self,
        images: Iterable[Any] | AsyncIterable[Any],
        *,
        on_error: Raise | Return = "raise",
        **options: Unpack[CutoutKeywords],
    ) -> AsyncGenerator[Any, None]:
        """Cut out images as they come, in order, without end and with flat memory; as ``Client.stream``.

        ``images`` may be asynchronous too. Close the generator (``contextlib.aclosing``) when leaving early.
        """
        check_batch(images, on_error)
        return self._stream(images, Options(output="cutout", **options), on_error)

    async def health(self) -> health.Health:
        """Ask for the mask of a small picture, once; as ``Client.health``."""
        return await health.check_async(self._connection, self._work.pipeline)

    async def statistics(self) -> dict[str, ModelStatistics]:
        """Return the server's own counters and clocks, by model; as ``Client.statistics``."""
        return read_statistics(await self._connection.call("ModelStatistics", service_pb2.ModelStatisticsRequest()))

    async def _collect(
        self, images: Iterable[Any], options: Options, on_error: Raise | Return, progress: Progress
    ) -> list[Any]:
        check_batch(images, on_error)
        answers: list[Any] = []
        async with aclosing(self._stream(images, options, on_error)) as stream:
            async for answer in stream:
                answers.append(answer)
                if progress is not None:
                    progress(len(answers))
        return answers

    async def _stream(
        self, images: Iterable[Any] | AsyncIterable[Any], options: Options, on_error: Raise | Return
    ) -> AsyncGenerator[Any, None]:
        running: deque[asyncio.Task[Any]] = deque()
        begun = 0
        try:
            async with aclosing(_iterate(images)) as source:
                async for image in source:
                    running.append(asyncio.ensure_future(self._one(begun, image, options, on_error)))
                    begun += 1
                    if len(running) >= self._window:
                        yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, index: int, image: Any, options: Options, on_error: Raise | Return) -> Any:
        try:
            return await self._walk(self._work.answer(image, options))
        except AlphacutError as error:
            error.index = index
            if on_error == "raise":
                raise
            return error

    async def _walk(self, steps: Steps) -> Any:
        self._connection.check_open()
        return await walk(steps, self._connection, self._pool, self._observer)


async def _iterate(images: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image
