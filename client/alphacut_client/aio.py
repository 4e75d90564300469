"""The client for event loops: images in, cut-outs out."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from alphacut_client import health, models, stats
from alphacut_client._async_batch import stream
from alphacut_client._async_connection import AsyncConnection
from alphacut_client._async_steps import walk
from alphacut_client._batch import Progress, Raise, Return, Wish, check_batch
from alphacut_client._catalogue import Catalogue
from alphacut_client._kinds import FileLike, ImageLike, Kind, Returns
from alphacut_client._limiter import limiter
from alphacut_client._route import split
from alphacut_client._steps import Steps
from alphacut_client._wire import Prediction
from alphacut_client._work import Work
from alphacut_client.settings import DEFAULT_URL, ClientKeywords, Settings
from alphacut_core.options import Decode

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords, RouteKeywords


class AsyncClient:
    """``Client`` for the tasks of one event loop: the same settings, options, results, errors and retries.

    Decoding, compositing and encoding run in threads of its own, one a processor, never on the loop. A task
    that is cancelled cancels its inference on the server. Create it where the loop runs; it belongs to that
    process, for no event loop outlives a fork.

    Args:
        url: As for ``Client``.
        **settings: As for ``Client``; ``token`` and ``api_key`` are asked on the loop, so let them answer at once.

    Example:
        >>> async with AsyncClient("127.0.0.1:8001") as client:
        ...     png = await client.remove("photo.jpg")
    """

    def __init__(self, url: str | Sequence[str] = DEFAULT_URL, **settings: Unpack[ClientKeywords]) -> None:
        chosen = Settings(url, **settings)
        self._route = chosen.route
        self._observer = chosen.observer
        self._connection = AsyncConnection(chosen)
        self._catalogue = Catalogue(chosen.pipeline)
        self._work = Work(self._catalogue, chosen.limits, chosen.render_on, lambda: self._connection.active)
        self._limiter = limiter(chosen.window)
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="alphacut")

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
        """The server's address; of several, all of them behind commas."""
        return self._connection.settings.address

    @overload
    async def remove(self, image: ImageLike, *, returns: type[Kind], **options: Unpack[CutoutKeywords]) -> Kind: ...
    @overload
    async def remove(self, image: FileLike, *, returns: None = ..., **options: Unpack[CutoutKeywords]) -> bytes: ...
    @overload
    async def remove(self, image: Kind, *, returns: None = ..., **options: Unpack[CutoutKeywords]) -> Kind: ...
    async def remove(self, image: Any, *, returns: Any = None, **options: Unpack[CutoutKeywords]) -> Any:
        """Make the background of one image transparent; as ``Client.remove``.

        Example:
            >>> png = await client.remove("photo.jpg", priority="bulk")
        """
        return await self._walk(
            self._work.answer(image, *split(self._route, {"returns": returns, **options}, output="cutout"))
        )

    @overload
    async def mask(self, image: ImageLike, *, returns: type[Kind], **options: Unpack[MaskKeywords]) -> Kind: ...
    @overload
    async def mask(self, image: FileLike, *, returns: None = ..., **options: Unpack[MaskKeywords]) -> bytes: ...
    @overload
    async def mask(self, image: Kind, *, returns: None = ..., **options: Unpack[MaskKeywords]) -> Kind: ...
    async def mask(self, image: Any, *, returns: Any = None, **options: Unpack[MaskKeywords]) -> Any:
        """Return the mask of one image; as ``Client.mask``.

        Example:
            >>> mask = await client.mask("photo.jpg")
        """
        return await self._walk(
            self._work.answer(image, *split(self._route, {"returns": returns, **options}, output="mask"))
        )

    async def predict(
        self, image: ImageLike, *, decode: Decode = "exact", **route: Unpack[RouteKeywords]
    ) -> Prediction:
        """Return the engine's mask and confidence; as ``Client.predict``.

        Example:
            >>> sure = (await client.predict("photo.jpg")).confidence > 0.5
        """
        wish = split(self._route, route, decode=decode)
        prediction: Prediction = await self._walk(self._work.predict(image, *wish))
        return prediction

    async def remove_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Returns = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[CutoutKeywords],
    ) -> list[Any]:
        """Make the background of many images transparent, N in, N out, in order; as ``Client.remove_batch``.

        Example:
            >>> cutouts = await client.remove_batch(["a.jpg", "b.jpg"], on_error="return")
        """
        return await self._collect(
            images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error, progress
        )

    async def mask_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Returns = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[MaskKeywords],
    ) -> list[Any]:
        """Return the masks of many images, N in, N out, in order; as ``Client.mask_batch``.

        Example:
            >>> masks = await client.mask_batch(["a.jpg", "b.jpg"])
        """
        return await self._collect(
            images, split(self._route, {"returns": returns, **options}, output="mask"), on_error, progress
        )

    def stream(
        self,
        images: Iterable[Any] | AsyncIterable[Any],
        *,
        returns: Returns = None,
        on_error: Raise | Return = "raise",
        **options: Unpack[CutoutKeywords],
    ) -> AsyncGenerator[Any, None]:
        """Cut out images as they come, in order, without end and with flat memory; as ``Client.stream``.

        ``images`` may be asynchronous too. Close the generator (``contextlib.aclosing``) when leaving early.

        Example:
            >>> async for cutout in client.stream(camera()):
            ...     show(cutout)
        """
        check_batch(images, on_error)
        return self._stream(images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error)

    async def models(self) -> tuple[models.InstalledModel, ...]:
        """Return the networks and tiers that the server serves; as ``Client.models``.

        Example:
            >>> names = {one.model for one in await client.models()}
        """
        served: tuple[models.InstalledModel, ...] = await self._walk(models.installed(self._route.timeout_s))
        return served

    async def health(self) -> health.Health:
        """Ask for the mask of a small picture, once; as ``Client.health``.

        Example:
            >>> print((await client.health()).latency_s)
        """
        answer: health.Health = await self._walk(health.check(self._catalogue, self._route))
        return answer

    async def statistics(self) -> dict[str, stats.ModelStatistics]:
        """Return the server's own counters and clocks, by model; as ``Client.statistics``.

        Example:
            >>> images = (await client.statistics())["remove_background"].inferences
        """
        counters: dict[str, stats.ModelStatistics] = await self._walk(stats.statistics(self._route.timeout_s))
        return counters

    async def _collect(
        self, images: Iterable[Any], wish: Wish, on_error: Raise | Return, progress: Progress
    ) -> list[Any]:
        check_batch(images, on_error)
        answers: list[Any] = []
        async with aclosing(self._stream(images, wish, on_error)) as answered:
            async for answer in answered:
                answers.append(answer)
                if progress is not None:
                    progress(len(answers))
        return answers

    def _stream(
        self, images: Iterable[Any] | AsyncIterable[Any], wish: Wish, on_error: Raise | Return
    ) -> AsyncGenerator[Any, None]:
        async def one(image: Any) -> Any:
            return await self._walk(self._work.answer(image, *wish), patient=True)

        return stream(one, images, self._limiter, on_error)

    async def _walk(self, steps: Steps, *, patient: bool = False) -> Any:
        self._connection.check_open()
        on_overload = self._limiter.overloaded if patient else None
        return await walk(steps, self._connection, self._pool, self._observer, on_overload)
