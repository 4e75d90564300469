"""What is served behind the gateway, as the server itself says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from alphacut_core.errors import ServerError, UnknownModelError
from alphacut_core.tiers import size_of
from alphacut_gateway.tier import Tier

_REMEMBERED_S = 2.0


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine that is served.

    Attributes:
        tier: Network and size by which it is asked for.
        size: Side of its square, in pixels.
        identity: Changes whenever its masks can; part of every remembered mask's key.
        facts: What the server's configuration says of it, by the names of model_repository/README.md.
    """

    tier: Tier
    size: int
    identity: str
    facts: Mapping[str, str] = field(default_factory=dict)


Ask = Callable[[], Awaitable[Mapping[Tier, Mapping[str, str]]]]


def engine_of(tier: Tier, facts: Mapping[str, str]) -> Engine:
    """Return an engine by what its server says of it."""
    size = facts.get("size", "")
    identity = facts.get("engine_sha256") or "unknown"
    return Engine(
        tier, int(size) if size.isdigit() else size_of(tier.mode), f"{tier.model}/{tier.mode}/{identity}", facts
    )


class Catalogue:
    """The engines of the server, asked for again after two seconds at the earliest, however many want to know.

    While the server does not answer, what it said last holds: masks that are remembered can be served without it.

    Args:
        ask: Asks the server.
        clock: Seconds that only grow.
    """

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at = -_REMEMBERED_S
        self._engines: dict[Tier, Engine] = {}

    async def engines(self) -> Mapping[Tier, Engine]:
        """Return what is served.

        Raises:
            ServerError: The server does not answer, and never has.
        """
        async with self._lock:
            if self._clock() - self._asked_at >= _REMEMBERED_S:
                try:
                    told = await self._ask()
                    self._engines = {tier: engine_of(tier, facts) for tier, facts in told.items()}
                except ServerError:
                    if not self._engines:
                        raise
                self._asked_at = self._clock()
        return self._engines

    async def engine(self, tier: Tier) -> Engine:
        """Return one of them.

        Raises:
            UnknownModelError: It is not served.
            ServerError: The server does not answer, and never has.
        """
        engines = await self.engines()
        if tier in engines:
            return engines[tier]
        modes = [each.mode for each in engines if each.model == tier.model]
        if modes:
            raise UnknownModelError(f"got mode={tier.mode!r}; {tier.model!r} is served as {', '.join(modes)}")
        models = sorted({each.model for each in engines})
        raise UnknownModelError(f"got model={tier.model[:40]!r}; served are {', '.join(models) or 'none'}")
