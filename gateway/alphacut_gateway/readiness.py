"""Whether images can be worked on right now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from alphacut_client import Health
from alphacut_core.errors import AlphacutError, DeadlineError

_REMEMBERED_S = 1.0
_TIMEOUT_S = 5.0


class Readiness:
    """The outcome of a real inference, remembered for a second, however many ask.

    Args:
        ask: Makes the inference.
        clock: Seconds that only grow.
    """

    def __init__(self, ask: Callable[[], Awaitable[Health]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at = -_REMEMBERED_S
        self._outcome: Health | AlphacutError | None = None

    async def check(self) -> Health:
        """Return how the server answered.

        Raises:
            AlphacutError: It did not, or not in time.
        """
        async with self._lock:
            if self._outcome is None or self._clock() - self._asked_at >= _REMEMBERED_S:
                self._outcome = await self._outcome_now()
                self._asked_at = self._clock()
        if isinstance(self._outcome, AlphacutError):
            raise self._outcome
        return self._outcome

    async def _outcome_now(self) -> Health | AlphacutError:
        try:
            return await asyncio.wait_for(self._ask(), _TIMEOUT_S)
        except asyncio.TimeoutError:
            return DeadlineError(f"the server gave no mask within {_TIMEOUT_S:g} s; look at its log")
        except AlphacutError as error:
            return error
