"""Redis that may be away: then nothing is shared, and nothing else changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

LOGGER = logging.getLogger("alphacut.gateway")

_TIMEOUT_S = 0.5
_LEFT_ALONE_S = 5.0

_Value = TypeVar("_Value")


class Shared:
    """A connection for what is worth having and not worth waiting for.

    After a failure Redis is left alone for some seconds, so that requests do not queue up behind its timeouts. The
    first failure of an outage goes to the log, each is counted.

    Args:
        url: Redis' address: ``redis://``, ``rediss://`` or ``unix://``.
        on_failure: Called at each failure.
        clock: Seconds that only grow.
    """

    def __init__(self, url: str, on_failure: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
        self._on_failure = on_failure
        self._clock = clock
        self._ask_again_at = 0.0
        self._away = False

    async def ask(self, question: Callable[[Redis], Awaitable[_Value]], otherwise: _Value) -> _Value:
        """Return what ``question`` finds out, or ``otherwise`` while Redis is away."""
        if self._clock() < self._ask_again_at:
            return otherwise
        try:
            value = await question(self._redis)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            self._failed(error)
            return otherwise
        if self._away:
            LOGGER.warning("Redis is back")
        self._away = False
        return value

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _failed(self, error: Exception) -> None:
        self._on_failure()
        self._ask_again_at = self._clock() + _LEFT_ALONE_S
        if not self._away:
            # Its message may hold the address, and that a password.
            LOGGER.warning("Redis is away (%s): masks and limits are this process' own for now", type(error).__name__)
        self._away = True
