"""When to send a request again: the one policy of every kind of client."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from alphacut_core.errors import AlphacutError, DeadlineError, OverloadedError

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_SWEPT_S = 1.0


class RetryBudget:
    """Bounds what all retries of a client add to the load: a fifth of its requests, and some a second.

    A bucket of tokens, as Finagle's and gRPC's retry throttling. An empty one delays retries instead of ending
    them: a server that restarts must cost time, not images.

    Args:
        ratio: Tokens that each request brings.
        rate_per_s: Tokens that each second brings, for clients that ask rarely.
        capacity: Tokens that can be saved.
        clock: Seconds from any start.
    """

    def __init__(
        self,
        ratio: float = 0.2,
        rate_per_s: float = 10.0,
        capacity: float = 100.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ratio = ratio
        self._rate_per_s = rate_per_s
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = rate_per_s
        self._filled_at = clock()

    def count_request(self) -> None:
        """Add what a first attempt brings."""
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + self._ratio)

    def reserve(self, longest_s: float) -> float | None:
        """Take a token; return after how many seconds it counts, or None where that is later than ``longest_s``."""
        with self._lock:
            now = self._clock()
            earned = (now - self._filled_at) * self._rate_per_s
            self._tokens = min(self._capacity, self._tokens + earned)
            self._filled_at = now
            wait_s = max(0.0, (1.0 - self._tokens) / self._rate_per_s)
            if wait_s > longest_s:
                return None
            self._tokens -= 1.0
            return wait_s


class Backoff:
    """Full jitter: pauses are drawn from 0 to a bound that doubles from 0.1 s to 2 s.

    Inference changes nothing on the server, so sending twice is harmless.

    Args:
        retry_for_s: After so long no new attempt is begun.
        budget: What the client's other retries have left.
        patient: Comes back to a full queue too, when the server's hint says: for batches, which can wait.
        several: There are other servers, so a passed deadline is worth a second attempt.
    """

    def __init__(
        self, retry_for_s: float, budget: RetryBudget, *, patient: bool = False, several: bool = False
    ) -> None:
        self._give_up_at = time.monotonic() + retry_for_s
        self._budget = budget
        self._patient = patient
        self._deadlines_left = 1 if several else 0
        self._attempt = 0
        budget.count_request()

    def pause_s(self, error: AlphacutError) -> float | None:
        """Return how long to wait before the next attempt, or None where none will help or time is up."""
        if not self._worth(error):
            return None
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._attempt)
        pause_s = random.uniform(0, longest_s)  # noqa: S311  spreads load, guards nothing
        if isinstance(error, OverloadedError):
            pause_s += error.retry_after_s
        self._attempt += 1
        left_s = self._give_up_at - time.monotonic()
        if isinstance(error, DeadlineError):
            pause_s += _SWEPT_S  # by then the server that hangs is left out
            left_s = max(left_s, pause_s)  # the deadline may have taken all of the time for retries
        if pause_s > left_s:
            return None
        turn_s = self._budget.reserve(left_s)
        return None if turn_s is None else max(pause_s, turn_s)

    def _worth(self, error: AlphacutError) -> bool:
        if isinstance(error, DeadlineError):
            self._deadlines_left -= 1
            return self._deadlines_left >= 0
        return error.retryable or (self._patient and isinstance(error, OverloadedError))
