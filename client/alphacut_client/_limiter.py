"""How many images to keep under way: found by trying, as congestion control finds a network's share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

_FIRST = 4
_MOST = 64
_WORTHWHILE = 1.05
_PATIENCE = 8
_SHORTEST_EPOCH = 8


class Limiter(Protocol):
    """Says how many images may be under way now, and hears what became of them."""

    most: int
    """What ``limit`` never exceeds."""

    def limit(self) -> int:
        """Return how many images may be under way now."""

    def finished(self) -> None:
        """Note that an image is done."""

    def overloaded(self) -> None:
        """Note that the server's queue was full."""


class FixedLimit:
    """The number that the caller chose."""

    def __init__(self, window: int) -> None:
        self.most = window

    def limit(self) -> int:
        """Return the number."""
        return self.most

    def finished(self) -> None:
        """Change nothing."""

    def overloaded(self) -> None:
        """Change nothing: the images wait for the server's hint, and the number was chosen."""


class AdaptiveLimit:
    """Starts at 4, doubles while that brings throughput, and halves when the server's queue is full.

    A server that batches answers later and more at once the more it is given, so latency says little about it and
    throughput decides. After each change as many images as are under way are let pass, then throughput is measured
    over twice as many. If it beats the best at a smaller limit by 5 %, the limit doubles. If not, it goes back to
    where throughput stopped growing: more would cost memory and waiting for nothing. There it stays for eight
    measurements before it tries again, for the server may have grown. It is never below 1 or above 64.

    Safe for threads.

    Args:
        clock: Seconds from any start.
    """

    most = _MOST

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = _FIRST
        self._halved = False
        self._start_over()

    def _start_over(self) -> None:
        self._best_rate = 0.0
        self._best_limit = self._limit
        self._settled_epochs = 0
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._to_pass = max(_SHORTEST_EPOCH // 2, self._limit)
        self._to_measure = 2 * self._to_pass
        self._began_at = 0.0

    def limit(self) -> int:
        """Return how many images may be under way."""
        return self._limit

    def finished(self) -> None:
        """Count an image; the last of an epoch decides."""
        if self._lock.acquire(blocking=False):  # a lock that a fork copied locked must not stop the child
            try:
                self._count()
            finally:
                self._lock.release()

    def _count(self) -> None:
        self._halved = False
        if self._to_pass:
            self._to_pass -= 1
            self._began_at = self._clock()
            return
        self._to_measure -= 1
        duration_s = self._clock() - self._began_at
        if self._to_measure <= 0 and duration_s > 0:
            self._decide(2 * max(_SHORTEST_EPOCH // 2, self._limit) / duration_s)
            self._begin_epoch()

    def overloaded(self) -> None:
        """Halve, once for all images that the same full queue turned away."""
        if self._lock.acquire(blocking=False):
            try:
                if not self._halved:
                    self._halved = True
                    self._limit = max(1, self._limit // 2)
                    self._start_over()
            finally:
                self._lock.release()

    def _decide(self, rate_per_s: float) -> None:
        if self._settled_epochs:
            self._settled_epochs -= 1
            if not self._settled_epochs:
                self._start_over()
        elif rate_per_s > self._best_rate * _WORTHWHILE:
            self._best_rate, self._best_limit = rate_per_s, self._limit
            self._limit = min(_MOST, 2 * self._limit)
        else:
            self._limit = self._best_limit
            self._settled_epochs = _PATIENCE


def limiter(window: int | None) -> Limiter:
    """Return the limiter for a client's ``window``."""
    return AdaptiveLimit() if window is None else FixedLimit(window)
