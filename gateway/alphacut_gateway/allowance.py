"""Limits of rate: so much a minute for each caller."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from alphacut_gateway.refusals import RateLimitError

WINDOW_S = 60

_MAX_CALLERS = 10_000


class Counts(Protocol):
    """What ``alphacut_gateway.shared.counts`` does."""

    async def add(self, name: str, amount: int) -> tuple[int, float] | None:
        """Add to an amount; return what it is then and the seconds it counts on, or None."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left.

    Attributes:
        limit: What a minute allows.
        remaining: What is left of it.
        resets_at: When all is there again, in seconds since 1970.
    """

    limit: int
    remaining: int
    resets_at: float


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int = 0


class Allowances:
    """What each caller has used of the running minute, shared between replicas where there is Redis.

    A minute begins with a caller's first request in it.

    Args:
        unit: What is counted, for messages.
        counts: Counts over all replicas; None to count here alone.
        clock: Seconds since 1970.
    """

    def __init__(self, unit: str, counts: Counts | None = None, clock: Callable[[], float] = time.time) -> None:
        self._unit = unit
        self._counts = counts
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    async def charge(self, caller: str, amount: int, limit: int) -> Standing:
        """Take ``amount`` from a caller's allowance; 0 only asks what is left.

        Raises:
            RateLimitError: There is not enough left, or nothing at all; nothing is taken. What is larger than a
                whole minute's allowance may have all of it.
        """
        used, ends_at = await self._add(caller, amount)
        before = used - amount
        if before and before + max(amount, 1) > limit:
            if amount:
                used, ends_at = await self._add(caller, -amount)
            error = RateLimitError(
                f"got {amount} more {self._unit} than the {limit} a minute allow; wait, as Retry-After says"
            )
            error.retry_after_s = max(1, math.ceil(ends_at - self._clock()))
            error.headers = headers(Standing(limit, max(0, limit - before), ends_at))
            raise error
        return Standing(limit, max(0, limit - used), ends_at)

    async def standing(self, caller: str, limit: int) -> Standing:
        """Return what a caller has left."""
        used, ends_at = await self._add(caller, 0)
        return Standing(limit, max(0, limit - used), ends_at)

    async def _add(self, caller: str, amount: int) -> tuple[int, float]:
        if self._counts is not None:
            counted = await self._counts.add(f"{self._unit}:{caller}", amount)
            if counted is not None:
                return counted[0], self._clock() + counted[1]
        window = self._window(caller)
        window.used += amount
        return window.used, window.ends_at

    def _window(self, caller: str) -> _Window:
        now = self._clock()
        window = self._windows.get(caller)
        if window is None or window.ends_at <= now:
            window = self._windows[caller] = _Window(now + WINDOW_S)
            if len(self._windows) > _MAX_CALLERS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(caller)
        return window


def headers(standing: Standing) -> dict[str, str]:
    """Return the headers that tell a caller how much is left, and when all is again."""
    return {
        "X-RateLimit-Limit": str(standing.limit),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": str(math.ceil(standing.resets_at)),
    }
