"""Masks in Redis: what one replica has asked the engine for, the others need not ask for."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Awaitable, Callable

import numpy as np
from redis.asyncio import Redis

from alphacut_client import Prediction
from alphacut_gateway.shared.connection import Shared

_PREFIX = "alphacut:mask:"
_HEAD = struct.Struct("<BHf")  # version of this layout, side in pixels, confidence
_LAYOUT = 1
_LARGEST_SIDE = 4096
_POLL_S = 0.05
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"

Predict = Callable[[], Awaitable[Prediction]]


class SharedMasks:
    """Masks by their key, kept for some time, with one inference for replicas that ask at one time.

    Pictures are never kept here, and never go to Redis on behalf of this class.

    Args:
        shared: Redis.
        keep_s: How long a mask is kept.
        lock_s: How long a replica that has begun an inference is waited for.
        sleep: Waits so many seconds.
    """

    def __init__(self, shared: Shared, keep_s: int, lock_s: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._shared = shared
        self._keep_s = keep_s
        self._lock_s = lock_s
        self._sleep = sleep

    async def get(self, key: str, predict: Predict) -> tuple[Prediction, bool]:
        """Return the mask of ``key`` and whether another inference made it; ``predict`` makes it otherwise."""
        name, token = f"{_PREFIX}{key}", uuid.uuid4().hex
        kept, mine = await self._wait(name, token)
        prediction = None if kept is None else _unpacked(kept)
        if prediction is not None:
            return prediction, True
        try:
            prediction = await predict()
            packed = _packed(prediction)
            await self._shared.ask(lambda redis: redis.set(name, packed, ex=self._keep_s), None)
        finally:
            if mine:
                await self._shared.ask(lambda redis: _released(redis, name, token), None)
        return prediction, False

    async def _wait(self, name: str, token: str) -> tuple[bytes | None, bool]:
        """Return the mask, or whether this replica is the one to make it; neither if none is waited for any more."""
        waited_s = 0.0
        while waited_s <= self._lock_s:
            found = await self._shared.ask(lambda redis: self._look(redis, name, token), None)
            if found is None or found != (None, False):
                return found or (None, False)
            await self._sleep(_POLL_S)
            waited_s += _POLL_S
        return None, False

    async def _look(self, redis: Redis, name: str, token: str) -> tuple[bytes | None, bool]:
        kept = await redis.get(name)
        if isinstance(kept, bytes):
            return kept, False
        return None, bool(await redis.set(f"{name}:lock", token, nx=True, px=int(1000 * self._lock_s)))


async def _released(redis: Redis, name: str, token: str) -> None:
    await redis.eval(_RELEASE, 1, f"{name}:lock", token)


def _packed(prediction: Prediction) -> bytes:
    side = prediction.mask.shape[0]
    head = _HEAD.pack(_LAYOUT, side, prediction.confidence)
    return head + zlib.compress(prediction.mask.tobytes(), 1)


def _unpacked(content: bytes) -> Prediction | None:
    """Return a mask, or None for what nobody here has packed."""
    try:
        layout, side, confidence = _HEAD.unpack_from(content)
        if layout != _LAYOUT or not 0 < side <= _LARGEST_SIDE:
            return None
        unpacker = zlib.decompressobj()
        pixels = unpacker.decompress(content[_HEAD.size :], side * side + 1)
        if len(pixels) != side * side or not 0 <= confidence <= 1:
            return None
    except (struct.error, zlib.error):
        return None
    return Prediction(np.frombuffer(pixels, np.uint8).reshape(side, side), confidence)
