"""What is served behind the gateway, as the server itself says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from alphacut_client import InstalledModel
from alphacut_core.errors import ServerError, UnknownModelError
from alphacut_gateway.tier import Tier

_REMEMBERED_S = 2.0
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine that is served.

    Attributes:
        tier: Network and size by which it is asked for.
        identity: Changes whenever its masks can; part of every remembered mask's key.
        installed: What the server says of it.
    """

    tier: Tier
    identity: str
    installed: InstalledModel


Ask = Callable[[], Awaitable[Sequence[InstalledModel]]]


def engine_of(installed: InstalledModel) -> Engine:
    """Return an engine by what its server says of it."""
    tier = Tier(installed.model, installed.mode)
    checksum = installed.facts.get("engine_sha256", "unknown")
    return Engine(tier, f"{tier.model}/{tier.mode}/{checksum}", installed)


class Catalogue:
    """The engines of the server, asked for again after two seconds at the earliest, however many want to know.

    While the server does not answer, what it said last holds: masks that are remembered can be served without it.
    A server that hangs is waited for only while nothing is known of it, and for a moment each time that it is asked.

    Args:
        ask: Asks the server.
        clock: Seconds that only grow.
    """

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._engines: dict[Tier, Engine] = {}
        self._asking: asyncio.Task[None] | None = None
        self._patient_until = 0.0
        self._ask_again_at = 0.0

    async def engines(self) -> Mapping[Tier, Engine]:
        """Return what is served.

        Raises:
            ServerError: The server does not answer, and never has.
        """
        if self._asking is None or (self._asking.done() and self._due):
            self._asking = asyncio.ensure_future(self._refresh())
            self._patient_until = self._clock() + _PATIENCE_S
        asking = self._asking
        if not asking.done():
            # Neither who leaves nor whose patience ends takes the answer from the others.
            patience_s = max(0.0, self._patient_until - self._clock()) if self._engines else None
            await asyncio.wait([asking], timeout=patience_s)
        error = asking.exception() if asking.done() else None
        if error is not None and not (self._engines and isinstance(error, ServerError)):
            raise error
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

    @property
    def _due(self) -> bool:
        return not self._engines or self._clock() >= self._ask_again_at

    async def _refresh(self) -> None:
        try:
            engines = [engine_of(installed) for installed in await self._ask()]
            self._engines = {engine.tier: engine for engine in engines}
        finally:
            self._ask_again_at = self._clock() + _REMEMBERED_S
