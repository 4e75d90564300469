"""How long one picture takes: a figure for the list of models, not for a comparison of products."""

from __future__ import annotations

import time

import numpy as np

from alphacut_core.geometry import Pixels
from alphacut_engines.gate import Engine

_RUNS = 9


def time_ms(engine: Engine, square: Pixels) -> float:
    """Return the median time of one picture alone, in milliseconds, after one run that does not count.

    Args:
        engine: What is timed.
        square: uint8 (S, S, 3).
    """
    batch = square[None]
    engine.masks(batch)
    times_s = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        engine.masks(batch)
        times_s.append(time.perf_counter() - start)
    return round(float(np.median(times_s)) * 1000, 1)
