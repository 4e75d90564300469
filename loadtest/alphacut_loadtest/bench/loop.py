"""A closed loop: so many callers, each asking again as soon as it is answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from alphacut_loadtest.bench.subject import Call


@dataclass(frozen=True, slots=True)
class Loop:
    """What the callers saw.

    Attributes:
        wall_s: From the first call to the last answer.
        latencies_s: For each call the position of its picture and how long it took.
    """

    wall_s: float
    latencies_s: list[tuple[int, float]]


def run(call: Call, pictures: Sequence[bytes], passes: int, concurrency: int) -> Loop:
    """Answer all pictures ``passes`` times; whole passes, so that everybody gets the same mixture."""

    def once(picture: int) -> tuple[int, float]:
        started = time.perf_counter()
        call(pictures[picture])
        return picture, time.perf_counter() - started

    with ThreadPoolExecutor(concurrency) as callers:
        started = time.perf_counter()
        latencies_s = list(callers.map(once, list(range(len(pictures))) * passes))
        return Loop(time.perf_counter() - started, latencies_s)
