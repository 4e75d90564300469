"""The methods for many images of the client for event loops."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, overload

from alphacut_client._async_batch import AsyncBatch
from alphacut_client._kinds import FileLike, ImageLike, Kind, Returns
from alphacut_client._outcome import Progress, Raise, Return
from alphacut_client._route import Route, split
from alphacut_core.errors import AlphacutError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutBatch, CutoutKeywords, MaskBatch, MaskKeywords


class AsyncBatching:
    """What ``AsyncClient`` does with lists and streams; the typing is that of ``_batching``."""

    _batch: AsyncBatch
    _route: Route

    @overload
    async def remove_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[Kind]: ...
    @overload
    async def remove_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[bytes]: ...
    @overload
    async def remove_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[Kind]: ...
    @overload
    async def remove_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Return, **options: Unpack[CutoutBatch]
    ) -> list[Kind | AlphacutError]: ...
    @overload
    async def remove_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Return, **options: Unpack[CutoutBatch]
    ) -> list[bytes | AlphacutError]: ...
    @overload
    async def remove_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Return, **options: Unpack[CutoutBatch]
    ) -> list[Kind | AlphacutError]: ...
    async def remove_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Any = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[CutoutKeywords],
    ) -> list[Any]:
        """Make the background of many images transparent, N in, N out, in order; as ``Client.remove_batch``.

        Example:
            >>> cutouts = await client.remove_batch(["a.jpg", "b.jpg"], on_error="return")
        """
        return await self._batch.answers(
            images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error, progress
        )

    @overload
    async def mask_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[Kind]: ...
    @overload
    async def mask_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[bytes]: ...
    @overload
    async def mask_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[Kind]: ...
    @overload
    async def mask_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Return, **options: Unpack[MaskBatch]
    ) -> list[Kind | AlphacutError]: ...
    @overload
    async def mask_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Return, **options: Unpack[MaskBatch]
    ) -> list[bytes | AlphacutError]: ...
    @overload
    async def mask_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Return, **options: Unpack[MaskBatch]
    ) -> list[Kind | AlphacutError]: ...
    async def mask_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Any = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[MaskKeywords],
    ) -> list[Any]:
        """Return the masks of many images, N in, N out, in order; as ``Client.mask_batch``.

        Example:
            >>> masks = await client.mask_batch(["a.jpg", "b.jpg"])
        """
        return await self._batch.answers(
            images, split(self._route, {"returns": returns, **options}, output="mask"), on_error, progress
        )

    @overload
    def stream(
        self,
        images: Iterable[Any] | AsyncIterable[Any],
        *,
        ordered: Literal[True] = ...,
        returns: Returns = ...,
        on_error: Raise | Return = ...,
        **options: Unpack[CutoutKeywords],
    ) -> AsyncGenerator[Any, None]: ...
    @overload
    def stream(
        self,
        images: Iterable[Any] | AsyncIterable[Any],
        *,
        ordered: Literal[False],
        returns: Returns = ...,
        on_error: Raise | Return = ...,
        **options: Unpack[CutoutKeywords],
    ) -> AsyncGenerator[tuple[int, Any], None]: ...
    def stream(
        self,
        images: Iterable[Any] | AsyncIterable[Any],
        *,
        ordered: bool = True,
        returns: Returns = None,
        on_error: Raise | Return = "raise",
        **options: Unpack[CutoutKeywords],
    ) -> AsyncGenerator[Any, None]:
        """Cut out images as they come, without end and with flat memory; as ``Client.stream``.

        ``images`` may be asynchronous too. Close the generator (``contextlib.aclosing``) when leaving early.

        Example:
            >>> async for cutout in client.stream(camera()):
            ...     show(cutout)
        """
        wish = split(self._route, {"returns": returns, **options}, output="cutout")
        answered = self._batch.stream(images, wish, on_error, ordered=ordered)
        return _answers(answered) if ordered else answered


async def _answers(answered: AsyncGenerator[tuple[int, Any], None]) -> AsyncGenerator[Any, None]:
    async with aclosing(answered):
        async for _, answer in answered:
            yield answer
