"""Where the time of one request goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Stage = Literal["decode", "inference", "render", "encode"]


class Stages:
    """The seconds of one request by stage; time spent waiting for a thread counts.

    Args:
        observer: Told of every stage and its seconds as it ends.
    """

    def __init__(self, observer: Callable[[Stage, float], None]) -> None:
        self._observer = observer
        self._seconds: dict[Stage, float] = {}

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Count the block's time."""
        started = time.perf_counter()
        yield
        duration_s = time.perf_counter() - started
        self._seconds[stage] = self._seconds.get(stage, 0.0) + duration_s
        self._observer(stage, duration_s)

    def server_timing(self) -> str:
        """Return the value of a ``Server-Timing`` header, in milliseconds."""
        return ", ".join(f"{stage};dur={1000 * seconds:.1f}" for stage, seconds in self._seconds.items())
