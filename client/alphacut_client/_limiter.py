"""How many images to keep under way: found by trying, as congestion control finds a network's share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from alphacut_client._search import MOST, search

_FIRST = 8


class Limiter(Protocol):
    """Says how many images may be under way now, and hears what became of them."""

    most: int
    """What ``limit`` never exceeds."""

    def limit(self) -> int:
        """Return how many images may be under way now."""

    def started(self) -> None:
        """Note that a batch or stream begins: what was before says nothing about how fast it will be."""

    def finished(self) -> None:
        """Note that an image is done while others wait to take its place."""

    def overloaded(self) -> None:
        """Note that the server's queue was full."""


class FixedLimit:
    """The number that the caller chose."""

    def __init__(self, window: int) -> None:
        self.most = window

    def limit(self) -> int:
        """Return the number."""
        return self.most

    def started(self) -> None:
        """Change nothing."""

    def finished(self) -> None:
        """Change nothing."""

    def overloaded(self) -> None:
        """Change nothing: the images wait for the server's hint, and the number was chosen."""


class AdaptiveLimit:
    """Starts at 8, goes where ``_search`` leads it, and halves when the server's queue is full.

    After each change as many images as were under way are let pass. Then throughput is measured in stretches of as
    many images as may be under way; one that a batch does not fill is left out, and so are the pauses between
    batches, so that short ones teach it too. It is never below 1 or above 64. Safe for threads.

    Args:
        clock: Seconds from any start.
    """

    most = MOST

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._halved = False
        self._search_from(_FIRST)

    def _search_from(self, limit: int) -> None:
        self._search = search(limit)
        self._limit, self._to_measure = next(self._search)
        self._measure(after=0)

    def _measure(self, after: int) -> None:
        self._to_pass = after
        self._measured = 0
        self._spent_s = 0.0
        self._begin_stretch()

    def _begin_stretch(self) -> None:
        self._in_stretch = 0
        self._began_at = self._clock()

    def limit(self) -> int:
        """Return how many images may be under way."""
        return self._limit

    def started(self) -> None:
        """Begin another stretch."""
        if self._lock.acquire(blocking=False):  # a lock that a fork copied locked must not stop the child
            try:
                self._to_pass = 0
                self._begin_stretch()
            finally:
                self._lock.release()

    def finished(self) -> None:
        """Count an image; the last of a measurement decides."""
        if self._lock.acquire(blocking=False):
            try:
                self._count()
            finally:
                self._lock.release()

    def _count(self) -> None:
        self._halved = False
        if self._to_pass:
            self._to_pass -= 1
            self._begin_stretch()
            return
        self._in_stretch += 1
        if self._in_stretch < self._limit:
            return
        self._measured += self._in_stretch
        self._spent_s += self._clock() - self._began_at
        self._begin_stretch()
        if self._measured >= self._to_measure and self._spent_s > 0:
            before = self._limit
            self._limit, self._to_measure = self._search.send(self._measured / self._spent_s)
            self._measure(after=before if self._limit != before else 0)

    def overloaded(self) -> None:
        """Halve, once for all images that the same full queue turned away."""
        if self._lock.acquire(blocking=False):
            try:
                if not self._halved:
                    self._halved = True
                    before = self._limit
                    self._search_from(max(1, before // 2))
                    self._to_pass = before
            finally:
                self._lock.release()


def limiter(window: int | None) -> Limiter:
    """Return the limiter for a client's ``window``."""
    return AdaptiveLimit() if window is None else FixedLimit(window)
