"""Counting in Redis what callers use in a minute, over all replicas."""

from __future__ import annotations

from redis.asyncio import Redis

from alphacut_gateway.shared.connection import Shared

_PREFIX = "alphacut:used:"


class SharedCounts:
    """Amounts by name that return to nothing after their window.

    Args:
        shared: Redis.
        window_s: How long after its first use an amount counts.
    """

    def __init__(self, shared: Shared, window_s: int) -> None:
        self._shared = shared
        self._window_ms = 1000 * window_s

    async def add(self, name: str, amount: int) -> tuple[int, float] | None:
        """Add to an amount; return what it is then and the seconds it counts on, or None while Redis is away."""
        return await self._shared.ask(lambda redis: self._add(redis, f"{_PREFIX}{name}", amount), None)

    async def _add(self, redis: Redis, name: str, amount: int) -> tuple[int, float] | None:
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.set(name, 0, nx=True, px=self._window_ms)
            pipeline.incrby(name, amount)
            pipeline.pttl(name)
            _, used, left_ms = await pipeline.execute()
        return int(used), max(0, int(left_ms)) / 1000
