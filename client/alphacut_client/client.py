"""The client: images in, cut-outs out."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from tritonclient.grpc import service_pb2

from alphacut_client import health
from alphacut_client._batch import Batch
from alphacut_client._batching import Batching
from alphacut_client._connection import Calls, Connection
from alphacut_client._kinds import ImageLike, Kind
from alphacut_client._steps import Steps, walk
from alphacut_client._wire import Prediction
from alphacut_client._work import RenderOn, Work
from alphacut_client.stats import ModelStatistics, read_statistics
from alphacut_client.timings import Observer
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Decode, Options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords

DEFAULT_URL = "127.0.0.1:8001"


class Client(Batching):
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
        self._work = Work(pipeline, limits, render_on)
        self._batch = Batch(self._work, self._connection, window, observer)
        self._observer = observer

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
        return self._walk(self._work.answer(image, Options(output="cutout", **options)))

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
        return self._walk(self._work.answer(image, Options(output="mask", **options)))

    def predict(self, image: ImageLike, *, decode: Decode = "exact") -> Prediction:
        """Return what the network says, before anything is made of it.

        Args:
            image: As for ``remove``.
            decode: ``fast`` lets the server's JPEG decoder scale down first.

        Returns:
            The engine's square mask and its confidence, which is near 0 where there is no subject: the mask is
            stretched to the full range even then.

        Raises:
            AlphacutError: As ``remove``.
        """
        prediction: Prediction = self._walk(self._work.predict(image, Options(decode=decode)))
        return prediction

    def _walk(self, steps: Steps) -> Any:
        return walk(steps, Calls(self._connection), self._observer)

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
