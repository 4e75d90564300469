"""Where the time of a call goes, for whoever wants to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

Stage = Literal["read", "header", "resize", "send", "decode", "wait", "render", "encode"]
"""The client's work on one image, in order of time.

``read`` loads a file, ``header`` checks it, ``send`` hands the request to gRPC, ``decode`` runs while the
server works, ``wait`` is what is left of the server's time after that, ``render`` composites at full size,
``encode`` writes PNG or WebP. Pictures that come as pixels are turned upright in ``decode`` and have ``resize``
instead of ``header``.
"""

STAGES: tuple[Stage, ...] = get_args(Stage)

Observer = Callable[[Stage, float], None]
"""Called with a stage and its seconds, from whichever thread did the work."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """How often a stage ran and for how many seconds altogether."""

    count: int
    total_s: float

    @property
    def mean_s(self) -> float:
        """Seconds of one run."""
        return self.total_s / self.count


class StageTimes:
    """An observer that adds up; safe to share between threads.

    Example:
        >>> times = StageTimes()
        >>> with Client("127.0.0.1:8001", observer=times) as client:
        ...     png = client.remove("photo.jpg")
        >>> for stage, spent in times.by_stage().items():
        ...     print(stage, spent.count, spent.mean_s)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[Stage, StageTime] = {}

    def __call__(self, stage: Stage, duration_s: float) -> None:
        """Add one observation."""
        with self._lock:
            sofar = self._times.get(stage, StageTime(0, 0.0))
            self._times[stage] = StageTime(sofar.count + 1, sofar.total_s + duration_s)

    def by_stage(self) -> dict[Stage, StageTime]:
        """Return what was seen so far, in the order of ``STAGES``."""
        with self._lock:
            return {stage: self._times[stage] for stage in STAGES if stage in self._times}


def timed(observer: Observer | None, stage: Stage) -> AbstractContextManager[None]:
    """Report how long the block takes, if anybody listens."""
    return nullcontext() if observer is None else _reported(observer, stage)


@contextmanager
def _reported(observer: Observer, stage: Stage) -> Iterator[None]:
    started = time.perf_counter()
    yield
    observer(stage, time.perf_counter() - started)
