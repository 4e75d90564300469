"""The client: images in, cut-outs out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload

from tritonclient.grpc import service_pb2

from alphacut_client import health
from alphacut_client._batch import Batch, Progress, Raise, Return
from alphacut_client._connection import Calls, Connection
from alphacut_client._kinds import Kind
from alphacut_client._work import RenderOn, Work
from alphacut_client.stats import ModelStatistics, read_statistics
from alphacut_client.timings import Observer
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline
from alphacut_core.errors import AlphacutError
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords

DEFAULT_URL = "127.0.0.1:8001"


class Client:
    """A connection to a server, to be shared by any number of threads.

    What goes in comes out: the bytes of an image file become the bytes of a PNG or WebP file, and so does a path,
    which stands for its file's bytes; a PIL image becomes a PIL image; a uint8 array (H, W, 3|4) in RGB order
    becomes a uint8 array.

    The server receives an image file as it is and answers with a small mask; the file is decoded here while the
    server works, and composited at full size. Pixels are resized here and go to the engine directly. A server
    that goes away and comes back costs time, not images: requests are repeated for ``retry_for_s``.

    Args:
        url: Host and port of Triton's gRPC endpoint.
        limits: Bounds on images, checked before anything is sent. The server has its own.
        timeout_s: Deadline of one attempt, at least 0.05 s.
        retry_for_s: How long to repeat what can succeed later; 0 repeats nothing.
        window: How many images of a batch are under way at once; bounds memory and the server's queue.
        render_on: ``server`` lets the server return finished files, for callers with more network than
            processor. Pixels are composited here all the same.
        pipeline: Names of the models.
        observer: Called with the seconds of every stage, from several threads; see ``alphacut_client.timings``.

    Example:
        >>> with Client("127.0.0.1:8001") as client:
        ...     png = client.remove("photo.jpg")
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        limits: Limits = DEFAULT_LIMITS,
        timeout_s: float = 60.0,
        retry_for_s: float = 60.0,
        window: int = 16,
        render_on: RenderOn = "client",
        pipeline: Pipeline = DEFAULT_PIPELINE,
        observer: Observer | None = None,
    ) -> None:
        if render_on not in ("client", "server"):
            raise ValueError(f"got render_on={render_on!r}; allowed are 'client' and 'server'")
        self._connection = Connection(url, timeout_s=timeout_s, retry_for_s=retry_for_s)
        self._work = Work(pipeline, limits, render_on, observer)
        self._batch = Batch(self._work, self._connection, window)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is under way and close the connection; closing twice is fine."""
        self._connection.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._connection.url

    @overload
    def remove(self, image: str | Path, **options: Unpack[CutoutKeywords]) -> bytes: ...
    @overload
    def remove(self, image: Kind, **options: Unpack[CutoutKeywords]) -> Kind: ...
    def remove(self, image: Any, **options: Unpack[CutoutKeywords]) -> Any:
        """Make the background of one image transparent.

        Args:
            image: Bytes of an image file, its path, a PIL image, or a uint8 array (H, W, 3|4) RGB or RGBA.
            **options: ``color``, ``background``, ``format``, ``decode``, ``post_process``, ``matting`` and
                ``decontaminate``; see ``alphacut_core.options.Options``.

        Returns:
            The same kind, the same size: a PNG or WebP file's bytes (also for a path), an RGBA PIL image, or a
            uint8 array (H, W, 4).

        Raises:
            InputError: The image or an option is not acceptable; nothing is repeated.
            ServerError: The server failed, or stayed away for longer than ``retry_for_s``.

        Example:
            >>> cutout = client.remove(Image.open("photo.jpg"), background=(255, 255, 255, 255))
        """
        return self._work.answer(image, Options(output="cutout", **options), Calls(self._connection))

    @overload
    def mask(self, image: str | Path, **options: Unpack[MaskKeywords]) -> bytes: ...
    @overload
    def mask(self, image: Kind, **options: Unpack[MaskKeywords]) -> Kind: ...
    def mask(self, image: Any, **options: Unpack[MaskKeywords]) -> Any:
        """Return the mask of one image, 0 for background to 255 for subject.

        Takes and raises what ``remove`` does; of its options ``decode``, ``format`` and ``post_process``.

        Returns:
            The same kind, the same size: a grey PNG or WebP file's bytes (also for a path), a PIL image of mode
            L, or a uint8 array (H, W).

        Example:
            >>> mask = client.mask(array) > 127
        """
        return self._work.answer(image, Options(output="mask", **options), Calls(self._connection))

    @overload
    def remove_batch(
        self,
        images: Iterable[str | Path],
        *,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[bytes]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[Kind],
        *,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[str | Path],
        *,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def remove_batch(
        self,
        images: Iterable[Kind],
        *,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[CutoutKeywords],
    ) -> list[Kind | AlphacutError]: ...
    def remove_batch(
        self,
        images: Iterable[Any],
        *,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[CutoutKeywords],
    ) -> list[Any]:
        """Make the background of many images transparent: N in, N out, in order.

        Each image is a request of its own, ``window`` of them under way at once; the server forms the batches.
        ``images`` is read no further ahead than that, so it may be a generator.

        Args:
            images: Images as ``remove`` takes them.
            on_error: ``raise`` ends the batch with the first error, whose ``index`` says which image it was.
                ``return`` puts the error into the result in that image's place, and the rest goes on.
            progress: Told after each image how many are finished.
            **options: As for ``remove``, for all images.

        Returns:
            As many results as images, in the same order, each of its image's kind; with ``on_error="return"``
            an ``AlphacutError`` for each that failed.

        Example:
            >>> cutouts = client.remove_batch(sorted(Path("photos").glob("*.jpg")))
        """
        return self._batch.answers(images, Options(output="cutout", **options), on_error, progress)

    @overload
    def mask_batch(
        self,
        images: Iterable[str | Path],
        *,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[bytes]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[Kind],
        *,
        on_error: Literal["raise"] = ...,
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[str | Path],
        *,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[bytes | AlphacutError]: ...
    @overload
    def mask_batch(
        self,
        images: Iterable[Kind],
        *,
        on_error: Literal["return"],
        progress: Progress | None = ...,
        **options: Unpack[MaskKeywords],
    ) -> list[Kind | AlphacutError]: ...
    def mask_batch(
        self,
        images: Iterable[Any],
        *,
        on_error: Raise | Return = "raise",
        progress: Progress = None,
        **options: Unpack[MaskKeywords],
    ) -> list[Any]:
        """Return the masks of many images: N in, N out, in order; as ``remove_batch`` with ``mask``'s results."""
        return self._batch.answers(images, Options(output="mask", **options), on_error, progress)

    def health(self) -> health.Health:
        """Ask for the mask of a small picture, once; that a server calls itself ready proves little.

        Raises:
            AlphacutError: The server does not answer, or not as it should.
        """
        return health.check(self._connection, self._work.pipeline)

    def statistics(self) -> dict[str, ModelStatistics]:
        """Return the server's own counters and clocks, by model.

        Raises:
            ServerError: The server does not answer.
        """
        return read_statistics(self._connection.call("ModelStatistics", service_pb2.ModelStatisticsRequest()))
