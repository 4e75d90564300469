"""The client's methods for many images."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

from alphacut_client._batch import Batch, Progress, Raise, Return
from alphacut_client._kinds import FileLike, ImageLike, Kind, Returns
from alphacut_client._route import Route, split
from alphacut_core.errors import AlphacutError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords


class Batching:
    """What ``Client`` does with lists and streams; the typing of their results takes most of the lines."""

    _batch: Batch
    _route: Route

    @overload
    def remove_batch(
        self,
        images: Iterable[ImageLike],
        *,
        returns: type[Kind],
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[FileLike],
        *,
        returns: None = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[bytes]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[Kind],
        *,
        returns: None = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[ImageLike],
        *,
        returns: type[Kind],
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind | AlphacutError]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[FileLike],
        *,
        returns: None = ...,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[Kind],
        *,
        returns: None = ...,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind | AlphacutError]: ...
    def remove_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Any = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[CutoutKeywords],
    ) -> list[Any]:
        """Make the background of many images transparent: N in, N out, in order.

        Each image is a request of its own, several of them under way at once; the server forms the batches.
        ``images`` is read no further ahead than that, so it may be a generator.

        Args:
            images: Images as ``remove`` takes them.
            returns: As for ``remove``.
            on_error: ``raise`` ends the batch with the first error, whose ``index`` says which image it was.
                ``return`` puts the error into the result in that image's place, and the rest goes on.
            progress: Told after each image how many are finished.
            **options: As for ``remove``, for all images.

        A full queue of the server's is waited for here, as it is not by ``remove``, and costs a batch nothing but time.

        Returns:
            As many results as images, in the same order, each of its image's kind; with ``on_error="return"``
            an ``AlphacutError`` for each that failed.

        Example:
            >>> cutouts = client.remove_batch(sorted(Path("photos").glob("*.jpg")))
        """
        return self._batch.answers(
            images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error, progress
        )

    @overload
    def mask_batch(
        self,
        images: Iterable[ImageLike],
        *,
        returns: type[Kind],
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[FileLike],
        *,
        returns: None = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[bytes]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[Kind],
        *,
        returns: None = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[ImageLike],
        *,
        returns: type[Kind],
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind | AlphacutError]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[FileLike],
        *,
        returns: None = ...,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[Kind],
        *,
        returns: None = ...,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind | AlphacutError]: ...
    def mask_batch(
        self,
        images: Iterable[Any],
        *,
        returns: Any = None,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[MaskKeywords],
    ) -> list[Any]:
        """Return the masks of many images: N in, N out, in order; as ``remove_batch`` with ``mask``'s results."""
        return self._batch.answers(
            images, split(self._route, {"returns": returns, **options}, output="mask"), on_error, progress
        )

    @overload
    def stream(
        self,
        images: Iterable[Any],
        *,
        ordered: Literal[True] = ...,
        returns: Returns = ...,
        on_error: Raise | Return = ...,
        **options: Unpack[CutoutKeywords],
    ) -> Generator[Any, None, None]: ...
    @overload
    def stream(
        self,
        images: Iterable[Any],
        *,
        ordered: Literal[False],
        returns: Returns = ...,
        on_error: Raise | Return = ...,
        **options: Unpack[CutoutKeywords],
    ) -> Generator[tuple[int, Any], None, None]: ...
    def stream(
        self,
        images: Iterable[Any],
        *,
        ordered: bool = True,
        returns: Returns = None,
        on_error: Raise | Return = "raise",
        **options: Unpack[CutoutKeywords],
    ) -> Generator[Any, None, None]:
        """Cut out images as they come, without end and with flat memory.

        No more images than may be under way are taken from ``images`` ahead of what was yielded, and none while the
        consumer is busy. Leaving the loop early cancels what is under way.

        Args:
            images: Images as ``remove`` takes them, in any number.
            ordered: Yield results in the order of ``images``; False yields ``(index, result)`` as soon as each
                is there.
            returns: As for ``remove``.
            on_error: As for ``remove_batch``.
            **options: As for ``remove``, for all images.

        Example:
            >>> for cutout in client.stream(camera()):
            ...     show(cutout)
        """
        batch = self._batch.stream if ordered else self._batch.stream_as_completed
        return batch(images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error)
