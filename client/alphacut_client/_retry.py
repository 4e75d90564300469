"""When to send a request again: the one policy of every kind of client."""

from __future__ import annotations

import random
import time

from alphacut_core.errors import AlphacutError

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0


class Backoff:
    """Full jitter: pauses are drawn from 0 to a bound that doubles from 0.1 s to 2 s.

    Inference changes nothing on the server, so sending twice is harmless.

    Args:
        retry_for_s: After so long no new attempt is begun.
    """

    def __init__(self, retry_for_s: float) -> None:
        self._give_up_at = time.monotonic() + retry_for_s
        self._attempt = 0

    def pause_s(self, error: AlphacutError) -> float | None:
        """Return how long to wait before the next attempt, or None where none will help or time is up."""
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._attempt)
        pause_s = random.uniform(0, longest_s)  # noqa: S311  spreads load, guards nothing
        self._attempt += 1
        too_late = time.monotonic() + pause_s > self._give_up_at
        return None if too_late or not error.retryable else pause_s
