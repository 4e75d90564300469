"""How long a caller waits: kept to, and refused at once where it cannot be."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from alphacut_core.errors import DeadlineError
from alphacut_gateway.refusals import HopelessDeadlineError, MalformedRequestError

HEADER = "X-Request-Timeout-Ms"

_LONGEST_MS = 3_600_000
_MILLISECONDS = re.compile(r"[0-9]{1,7}")
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "integer", "minimum": 1, "maximum": _LONGEST_MS},
    "description": "How long the answer is of use, in milliseconds.",
}
"""The header in OpenAPI's words."""

_WEIGHT_OF_LATEST = 0.2
_FORGOTTEN_AFTER_S = 10.0

_Value = TypeVar("_Value")


class Deadline:
    """When an answer is of no more use.

    Args:
        left_s: Seconds from now; None for never.
        clock: Seconds that only grow.
    """

    def __init__(self, left_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = None if left_s is None else clock() + left_s

    @property
    def left_s(self) -> float | None:
        """Seconds that are left; None for any number."""
        return None if self._at is None else self._at - self._clock()

    async def bound(self, work: Awaitable[_Value]) -> _Value:
        """Wait for ``work`` no longer than this; what is given up is cancelled, on the server too.

        Raises:
            DeadlineError: Time was up.
        """
        left_s = self.left_s
        if left_s is None:
            return await work
        try:
            return await asyncio.wait_for(work, max(0.0, left_s))
        except asyncio.TimeoutError as error:
            raise DeadlineError(
                f"there was no answer within the time that {HEADER} gave; allow more, or ask for mode=fast"
            ) from error


def of(headers: Mapping[str, str]) -> Deadline:
    """Read a caller's deadline from a request's headers.

    Raises:
        MalformedRequestError: It is not a whole number of milliseconds.
    """
    text = headers.get(HEADER.lower())
    if text is None:
        return Deadline(None)
    if not _MILLISECONDS.fullmatch(text) or not 0 < int(text) <= _LONGEST_MS:
        raise MalformedRequestError(f"got {HEADER}: {text[:40]!r}; give 1 to {_LONGEST_MS} milliseconds")
    return Deadline(int(text) / 1000)


class Pace:
    """How long requests take at present: a mean in which the latest counts most and which quiet times fade out.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mean_s = 0.0
        self._at = clock()

    @property
    def expected_s(self) -> float:
        """Seconds that a request has to reckon with; 0 where nothing is known."""
        age_s = self._clock() - self._at
        # Were it remembered for ever, deadlines refused because of it would keep it from being corrected.
        return float(self._mean_s * 0.5 ** (age_s / _FORGOTTEN_AFTER_S))

    def observe(self, duration_s: float) -> None:
        """Tell of a request that has been answered."""
        known_s = self.expected_s
        self._mean_s = duration_s if known_s == 0 else known_s + _WEIGHT_OF_LATEST * (duration_s - known_s)
        self._at = self._clock()

    def check(self, deadline: Deadline) -> None:
        """Refuse a request whose answer would come too late.

        Raises:
            HopelessDeadlineError: Requests take longer than the caller waits.
        """
        left_s = deadline.left_s
        if left_s is not None and left_s < self.expected_s:
            raise HopelessDeadlineError(
                f"requests take about {self.expected_s:.2f} s at present and this one allows {max(0.0, left_s):.2f} s; "
                "allow more, or ask for mode=fast"
            )
