"""The client: images in, cut-outs out."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from alphacut_client import health, models, stats
from alphacut_client._batch import Batch
from alphacut_client._batching import Batching
from alphacut_client._calls import Calls
from alphacut_client._catalogue import Catalogue
from alphacut_client._connection import Connection
from alphacut_client._kinds import FileLike, ImageLike, Kind
from alphacut_client._limiter import limiter
from alphacut_client._route import split
from alphacut_client._steps import Steps, walk
from alphacut_client._wire import Prediction
from alphacut_client._work import Work
from alphacut_client.settings import DEFAULT_URL, ClientKeywords, Settings
from alphacut_core.options import Decode

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from alphacut_client.keywords import CutoutKeywords, MaskKeywords, RouteKeywords


class Client(Batching):
    """A connection to a server or several, to be shared by any number of threads, and by forked children.

    What goes in comes out: the bytes of an image file become the bytes of a PNG or WebP file, and so does a path,
    which stands for its file's bytes; a PIL image becomes a PIL image; a uint8 array (H, W, 3|4) in RGB order
    becomes a uint8 array.

    The server receives an image file as it is and answers with a small mask; the file is decoded here while the
    server works, and composited at full size. Pixels are resized here and go to the engine directly. A server
    that goes away and comes back costs time, not images: requests are repeated for ``retry_for_s``.

    Args:
        url: Host and port of Triton's gRPC endpoint; ``dns:///name:port``; or a list of hosts and ports.
        **settings: See ``alphacut_client.settings.Settings``, which says what each means and what it is without.

    Raises:
        ValueError: A setting that is not allowed.
        InvalidOptionError: The same, for settings that calls can change.
        UnavailableError: None of the names of several servers is known.

    Example:
        >>> with Client("127.0.0.1:8001") as client:
        ...     png = client.remove("photo.jpg")
    """

    def __init__(self, url: str | Sequence[str] = DEFAULT_URL, **settings: Unpack[ClientKeywords]) -> None:
        chosen = Settings(url, **settings)
        self._route = chosen.route
        self._observer = chosen.observer
        self._connection = Connection(chosen)
        self._catalogue = Catalogue(chosen.pipeline)
        self._work = Work(self._catalogue, chosen.limits, chosen.render_on, lambda: self._connection.active)
        self._batch = Batch(self._work, self._connection, limiter(chosen.window), self._observer)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is under way and close the connection; closing twice is fine.

        What was under way ends with ``UnavailableError``, in a batch each image that has no result yet; what is
        asked afterwards is refused with a ``RuntimeError``.

        Example:
            >>> client.close()
        """
        self._connection.close()

    @property
    def url(self) -> str:
        """The server's address; of several, all of them behind commas."""
        return self._connection.settings.address

    @overload
    def remove(self, image: ImageLike, *, returns: type[Kind], **options: Unpack[CutoutKeywords]) -> Kind: ...
    @overload
    def remove(self, image: FileLike, *, returns: None = ..., **options: Unpack[CutoutKeywords]) -> bytes: ...
    @overload
    def remove(self, image: Kind, *, returns: None = ..., **options: Unpack[CutoutKeywords]) -> Kind: ...
    def remove(self, image: Any, *, returns: Any = None, **options: Unpack[CutoutKeywords]) -> Any:
        """Make the background of one image transparent.

        Args:
            image: Bytes of an image file, its path, a file open in binary mode (read from where it stands), a PIL
                image, or a uint8 array (H, W, 3|4), RGB or RGBA. Addresses are never fetched.
            returns: ``bytes``, ``PIL.Image.Image`` or ``numpy.ndarray``; None is the kind of ``image``.
            **options: What is made of the image, by the names of ``alphacut_core.options.Options``; ``channels``,
                ``rgb`` or ``bgr``, the order in arrays that go in and come out; and how the image travels:
                ``model``, ``mode``, ``upload``, ``timeout_s`` and ``priority``, each of which is the client's own
                where the call says nothing.

        Returns:
            The same kind, and but for ``crop`` the same size: a file's bytes (also for a path or an open file), an
            RGBA PIL image, or a uint8 array (H, W, 4).

        Raises:
            InputError: The image or an option is not acceptable; nothing is repeated.
            NoSubjectError: The network is less sure of a subject than ``min_confidence``, or ``crop`` finds none.
            RefinementError: ``refine`` or ``matting`` cannot be made of this mask, or not within the budget.
            OverloadedError: The server's queue is full; ``retry_after_s`` says when to come back.
            ServerError: The server failed, or stayed away for longer than ``retry_for_s``.

        Example:
            >>> cutout = client.remove(Image.open("photo.jpg"), background=(255, 255, 255, 255), mode="full")
        """
        return self._walk(
            self._work.answer(image, *split(self._route, {"returns": returns, **options}, output="cutout"))
        )

    @overload
    def mask(self, image: ImageLike, *, returns: type[Kind], **options: Unpack[MaskKeywords]) -> Kind: ...
    @overload
    def mask(self, image: FileLike, *, returns: None = ..., **options: Unpack[MaskKeywords]) -> bytes: ...
    @overload
    def mask(self, image: Kind, *, returns: None = ..., **options: Unpack[MaskKeywords]) -> Kind: ...
    def mask(self, image: Any, *, returns: Any = None, **options: Unpack[MaskKeywords]) -> Any:
        """Return the mask of one image, 0 for background to 255 for subject.

        Takes and raises what ``remove`` does; of its options those that concern a mask.

        Returns:
            The same kind, and but for ``crop`` the same size: a grey file's bytes (also for a path or an open
            file), a PIL image of mode L, or a uint8 array (H, W).

        Example:
            >>> mask = client.mask(array) > 127
        """
        return self._walk(self._work.answer(image, *split(self._route, {"returns": returns, **options}, output="mask")))

    def predict(self, image: ImageLike, *, decode: Decode = "exact", **route: Unpack[RouteKeywords]) -> Prediction:
        """Return what the network says, before anything is made of it.

        Args:
            image: As for ``remove``.
            decode: ``fast`` lets the JPEG decoder scale down first; it concerns image files.
            **route: ``model``, ``mode``, ``upload``, ``timeout_s``, ``priority``.

        Returns:
            The engine's square mask and its confidence, which is near 0 where there is no subject: the mask is
            stretched to the full range even then. ``coverage`` and ``uncertainty`` are measured on the mask.

        Raises:
            AlphacutError: As ``remove``.

        Example:
            >>> sure = client.predict("photo.jpg").confidence > 0.5
        """
        prediction: Prediction = self._walk(self._work.predict(image, *split(self._route, route, decode=decode)))
        return prediction

    def models(self) -> tuple[models.InstalledModel, ...]:
        """Return the networks and tiers that the server serves, with what was measured of each.

        Raises:
            ServerError: The server does not answer.

        Example:
            >>> for one in client.models():
            ...     print(one.model, one.mode, one.precision, one.mean_iou, one.time_ms)
        """
        served: tuple[models.InstalledModel, ...] = self._walk(models.installed(self._route.timeout_s))
        return served

    def health(self) -> health.Health:
        """Ask for the mask of a small picture, once; that a server calls itself ready proves little.

        Raises:
            AlphacutError: The server does not answer, or not as it should.

        Example:
            >>> print(client.health().latency_s)
        """
        answer: health.Health = self._walk(health.check(self._catalogue, self._route))
        return answer

    def statistics(self) -> dict[str, stats.ModelStatistics]:
        """Return the server's own counters and clocks, by model.

        Triton counts an inference just after it has answered it.

        Raises:
            ServerError: The server does not answer.

        Example:
            >>> images = client.statistics()["remove_background"].inferences
        """
        counters: dict[str, stats.ModelStatistics] = self._walk(stats.statistics(self._route.timeout_s))
        return counters

    def _walk(self, steps: Steps) -> Any:
        self._connection.check_open()
        return walk(steps, Calls(self._connection), self._observer)
