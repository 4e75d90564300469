"""Masks by what they were made of, so that one background after another costs one inference."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

from alphacut_client import Prediction

Found = Literal["HIT", "SHARED", "JOINED", "MISS"]
"""``HIT`` was in memory, ``SHARED`` in Redis, ``JOINED`` came with a request under way, ``MISS`` cost an inference."""

Predict = Callable[[], Awaitable[Prediction]]

_OVERHEAD_BYTES = 500


class Elsewhere(Protocol):
    """What ``alphacut_gateway.shared.masks`` does: remember masks for all replicas."""

    async def get(self, key: str, predict: Predict) -> tuple[Prediction, bool]:
        """Return the mask of ``key``, and whether it was known."""


class MaskCache:
    """The masks used last, within so many bytes; equal requests at one time share one inference.

    For one event loop. A failure is told to everybody who waits for it and is not remembered.

    Args:
        max_bytes: Memory for masks.
        elsewhere: Asked for what is not in memory; None to make it at once.
    """

    def __init__(self, max_bytes: int, elsewhere: Elsewhere | None = None) -> None:
        self._max_bytes = max_bytes
        self._elsewhere = elsewhere
        self._masks: OrderedDict[str, Prediction] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[tuple[Prediction, Found]]] = {}
        self._waiting: dict[str, int] = {}
        self.n_bytes = 0

    async def get(self, key: str, predict: Predict) -> tuple[Prediction, Found]:
        """Return the mask of ``key``, made by ``predict`` if nobody has it or makes it."""
        kept = self._masks.get(key)
        if kept is not None:
            self._masks.move_to_end(key)
            return kept, "HIT"
        task = self._under_way.get(key)
        joined = task is not None
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(self._make(key, predict))
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            # Shielded: one caller who leaves must not take the mask from the others.
            prediction, found = await asyncio.shield(task)
            return prediction, "JOINED" if joined else found
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]
                self._forget(key, task)  # ending can take a while; whoever comes meanwhile begins anew
                task.cancel()  # does nothing unless all have left before it was done
                await asyncio.gather(task, return_exceptions=True)

    async def _make(self, key: str, predict: Predict) -> tuple[Prediction, Found]:
        known = False
        try:
            if self._elsewhere is None:
                prediction = await predict()
            else:
                prediction, known = await self._elsewhere.get(key, predict)
        finally:
            self._forget(key, asyncio.current_task())
        self._keep(key, prediction)
        return prediction, "SHARED" if known else "MISS"

    def _forget(self, key: str, task: asyncio.Task[Any] | None) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]

    def _keep(self, key: str, prediction: Prediction) -> None:
        self._masks[key] = prediction
        self.n_bytes += _size(prediction)
        while self.n_bytes > self._max_bytes:
            _, oldest = self._masks.popitem(last=False)
            self.n_bytes -= _size(oldest)


def _size(prediction: Prediction) -> int:
    return int(prediction.mask.nbytes) + _OVERHEAD_BYTES
