"""The client's methods for many images."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, overload

from alphacut_client._batch import Batch
from alphacut_client._kinds import FileLike, ImageLike, Kind, Returns
from alphacut_client._outcome import Progress, Raise, Return
from alphacut_client._route import Route, split
from alphacut_core.errors import AlphacutError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutBatch, CutoutKeywords, MaskBatch, MaskKeywords

# A line for each kind of image, and each of them once more for errors that are returned; ``progress`` is among the
# options there, which lets the lines stay lines. ``_async_batching`` has the same: no type says that one function's
# results are another's, awaited.


class Batching:
    """What ``Client`` does with lists and streams."""

    _batch: Batch
    _route: Route

    @overload
    def remove_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[Kind]: ...
    @overload
    def remove_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[bytes]: ...
    @overload
    def remove_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[CutoutBatch]
    ) -> list[Kind]: ...
    @overload
    def remove_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Return, **options: Unpack[CutoutBatch]
    ) -> list[Kind | AlphacutError]: ...
    @overload
    def remove_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Return, **options: Unpack[CutoutBatch]
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def remove_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Return, **options: Unpack[CutoutBatch]
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

        Raises:
            InputError: ``images`` is a single image.
            AlphacutError: With ``on_error="raise"``, what ``remove`` raises.

        Example:
            >>> cutouts = client.remove_batch(sorted(Path("photos").glob("*.jpg")))
        """
        return self._batch.answers(
            images, split(self._route, {"returns": returns, **options}, output="cutout"), on_error, progress
        )

    @overload
    def mask_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[Kind]: ...
    @overload
    def mask_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[bytes]: ...
    @overload
    def mask_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Raise = ..., **options: Unpack[MaskBatch]
    ) -> list[Kind]: ...
    @overload
    def mask_batch(
        self, images: Iterable[ImageLike], *, returns: type[Kind], on_error: Return, **options: Unpack[MaskBatch]
    ) -> list[Kind | AlphacutError]: ...
    @overload
    def mask_batch(
        self, images: Iterable[FileLike], *, returns: None = ..., on_error: Return, **options: Unpack[MaskBatch]
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def mask_batch(
        self, images: Iterable[Kind], *, returns: None = ..., on_error: Return, **options: Unpack[MaskBatch]
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
        """Return the masks of many images: N in, N out, in order; as ``remove_batch`` with ``mask``'s results.

        Example:
            >>> masks = client.mask_batch(sorted(Path("photos").glob("*.jpg")), returns=np.ndarray)
        """
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

        No more images are taken from ``images`` ahead of what was yielded than may be under way, in order twice as
        many, and none while the consumer is busy. Nothing is yielded while ``images`` keeps its next one waiting.
        Leaving the loop early cancels what is under way.

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
        wish = split(self._route, {"returns": returns, **options}, output="cutout")
        answered = self._batch.stream(images, wish, on_error, ordered=ordered)
        return _answers(answered) if ordered else answered


def _answers(answered: Generator[tuple[int, Any], None, None]) -> Generator[Any, None, None]:
    with closing(answered):
        for _, answer in answered:
            yield answer
