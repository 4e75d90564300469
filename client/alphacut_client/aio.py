"""The client for event loops: images in, cut-outs out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from alphacut_client import health, models, stats
from alphacut_client._async_batch import AsyncBatch
from alphacut_client._async_batching import AsyncBatching
from alphacut_client._async_connection import AsyncConnection
from alphacut_client._async_steps import walk
from alphacut_client._catalogue import Catalogue
from alphacut_client._kinds import FileLike, ImageLike, Kind
from alphacut_client._limiter import limiter
from alphacut_client._outcome import Wish
from alphacut_client._route import split
from alphacut_client._steps import Steps
from alphacut_client._wire import Prediction
from alphacut_client._work import Work
from alphacut_client.settings import DEFAULT_URL, ClientKeywords, Settings
from alphacut_core import processors
from alphacut_core.options import Decode

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords, RouteKeywords


class AsyncClient(AsyncBatching):
    """``Client`` for the tasks of one event loop: the same settings, options, results, errors and retries.

    Decoding, compositing and encoding run in threads of its own, one a processor, never on the loop. A task
    that is cancelled cancels its inference on the server. Create it where the loop runs, as in the lifespan of a web
    application; it belongs to that loop, and so to its process, for no event loop outlives a fork.

    Args:
        url: As for ``Client``.
        **settings: As for ``Client``; ``token`` and ``api_key`` are asked on the loop, so let them answer at once.

    Raises:
        RuntimeError: No event loop runs here, or, by every method, it is another one.

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
        self._batch = AsyncBatch(self._one, self._limiter, self._connection.check_open)
        self._pool = ThreadPoolExecutor(processors.count(), thread_name_prefix="alphacut")

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancel what is under way and close the connection, as ``Client.close``; closing twice is fine.

        Example:
            >>> await client.close()
        """
        await self._connection.close()
        self._pool.shutdown(wait=False)  # what waits in it ends by itself; cancelled, its tasks would seem to be

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

    async def _one(self, wish: Wish, image: Any) -> Any:
        steps = self._work.answer(image, *wish)
        return await walk(steps, self._connection, self._pool, self._observer, self._limiter.overloaded)

    async def _walk(self, steps: Steps) -> Any:
        self._connection.check_open()
        return await walk(steps, self._connection, self._pool, self._observer)
