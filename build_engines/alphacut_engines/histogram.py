"""Which range of values INT8 should cover, from a histogram of what flowed through a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

_BINS = 4096
_LEVELS = 255
_PERCENTILE = 0.9999
_CANDIDATES = 160
_SMALLEST_TOP = 1e-6

Counts = NDArray[np.int64]


class Histogram:
    """Counts |x| in equal bins whose width doubles whenever a larger value comes."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(_BINS, np.int64)
        self.top = _SMALLEST_TOP
        self.lowest = 0.0

    def add(self, values: NDArray[np.float32]) -> None:
        """Count values of any shape."""
        magnitudes = np.abs(values).ravel()
        self.lowest = min(self.lowest, float(values.min()))
        largest = float(magnitudes.max())
        if not self.counts.any():
            self.top = max(largest, _SMALLEST_TOP)
        while largest > self.top:
            self.counts = np.concatenate([self.counts.reshape(-1, 2).sum(1), np.zeros(_BINS // 2, np.int64)])
            self.top *= 2
        bins = np.minimum((magnitudes * (_BINS / self.top)).astype(np.int64), _BINS - 1)
        self.counts += np.bincount(bins, minlength=_BINS)

    def range(self, method: str) -> tuple[float, float]:
        """Return the lowest and highest value to cover, by one of ``METHODS``."""
        limit = METHODS[method](self.counts) * self.top / _BINS
        return (-limit if self.lowest < 0 else 0.0, limit)


def _used(counts: Counts) -> int:
    return int(np.flatnonzero(counts)[-1]) + 1


def _percentile(counts: Counts) -> int:
    return int(np.searchsorted(np.cumsum(counts), counts.sum() * _PERCENTILE)) + 1


def _candidates(counts: Counts, smallest: int) -> NDArray[np.int64]:
    used = _used(counts)
    return np.unique(np.linspace(min(smallest, used), used, _CANDIDATES).astype(np.int64))


def _least_squares(counts: Counts) -> int:
    """Return the end whose rounding and clipping together cost the least squared error."""
    centres = np.arange(_BINS) + 0.5

    def error(end: int) -> float:
        step = end / _LEVELS
        return float((counts * np.square(centres - np.minimum(np.round(centres / step), _LEVELS) * step)).sum())

    return int(min(_candidates(counts, _BINS // 64), key=error))


def _entropy(counts: Counts) -> int:
    """Return the end whose quantised distribution diverges least (Kullback-Leibler) from the true one."""
    # The zeros that a ReLU makes are exact at any scale and would drown all else.
    density = counts.astype(np.float64)
    density[0] = density[1]

    def divergence(end: int) -> float:
        inside = density[:end]
        true = inside.copy()
        true[-1] += density[end:].sum()
        level = np.arange(end) * _LEVELS // end
        filled = np.bincount(level, inside > 0, _LEVELS)
        mean = np.bincount(level, inside, _LEVELS) / np.maximum(filled, 1)
        spread = np.where(inside > 0, mean[level], 0.0)
        if not spread.any():
            return float(np.inf)
        p, q = true / true.sum(), np.maximum(spread / spread.sum(), 1e-12)
        return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())

    return int(min(_candidates(counts, _LEVELS), key=divergence))


METHODS: Mapping[str, Callable[[Counts], int]] = {
    "max": _used,
    "percentile": _percentile,
    "entropy": _entropy,
    "least_squares": _least_squares,
}
"""Each returns the number of bins to cover."""
