"""The rate limit: so many megapixels a minute for each caller."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from alphacut_gateway.refusals import RateLimitError

_WINDOW_S = 60.0
_MAX_CALLERS = 10_000


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int = 0


class Allowances:
    """What each caller has used of the running minute; for one event loop.

    Args:
        limit: Megapixels a minute.
        clock: Seconds since 1970.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self.limit = limit
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def charge(self, caller: str, megapixels: int) -> None:
        """Take ``megapixels`` from a caller's allowance; 0 only asks whether there is any left.

        Raises:
            RateLimitError: There is not enough left; nothing is taken.
        """
        window = self._window(caller)
        # An image larger than a whole minute's allowance may have all of it.
        if window.used and window.used + max(megapixels, 1) > self.limit:
            error = RateLimitError(
                f"got {megapixels} more megapixels than the {self.limit} a minute allow; wait, as Retry-After says"
            )
            error.retry_after_s = max(1, math.ceil(window.ends_at - self._clock()))
            raise error
        window.used += megapixels

    def remaining(self, caller: str) -> int:
        """Return the megapixels that a caller has left."""
        return max(0, self.limit - self._window(caller).used)

    def headers(self, caller: str) -> dict[str, str]:
        """Return the headers that tell a caller how much is left, and when all is again (seconds since 1970)."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining(caller)),
            "X-RateLimit-Reset": str(math.ceil(self._window(caller).ends_at)),
        }

    def _window(self, caller: str) -> _Window:
        now = self._clock()
        window = self._windows.get(caller)
        if window is None or window.ends_at <= now:
            window = self._windows[caller] = _Window(now + _WINDOW_S)
            if len(self._windows) > _MAX_CALLERS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(caller)
        return window
