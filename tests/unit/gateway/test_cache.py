"""The mask cache: bounded, and one inference for many who ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from alphacut_client import Prediction
from alphacut_core.errors import UnavailableError
from alphacut_gateway.cache import MaskCache

ONE_MASK = 100 * 100 + 500


def prediction() -> Prediction:
    return Prediction(np.zeros((100, 100), np.uint8), 1.0)


async def at_once() -> Prediction:
    return prediction()


class Slow:
    """An inference that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = False
        self.go = asyncio.Event()

    async def __call__(self) -> Prediction:
        self.begun += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return prediction()


def play(scenario: Callable[[], Awaitable[Any]]) -> None:
    async def run() -> None:
        await scenario()

    asyncio.run(run())


def test_the_mask_used_longest_ago_goes_first() -> None:
    async def scenario() -> None:
        cache = MaskCache(2 * ONE_MASK)
        for key in ("a", "b", "a", "c"):
            await cache.get(key, at_once)
        assert cache.n_bytes == 2 * ONE_MASK
        assert [(await cache.get(key, at_once))[1] for key in ("a", "c", "b")] == ["HIT", "HIT", "MISS"]

    play(scenario)


def test_without_room_nothing_is_remembered() -> None:
    async def scenario() -> None:
        cache = MaskCache(0)
        assert [(await cache.get("a", at_once))[1] for _ in range(2)] == ["MISS", "MISS"]
        assert cache.n_bytes == 0

    play(scenario)


def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    async def scenario() -> None:
        cache, slow = MaskCache(ONE_MASK), Slow()
        first, second = (asyncio.ensure_future(cache.get("a", slow)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        slow.go.set()
        assert (await second)[1] == "JOINED"
        assert slow.begun == 1

    play(scenario)


def test_when_all_have_left_the_inference_is_given_up() -> None:
    async def scenario() -> None:
        cache, slow = MaskCache(ONE_MASK), Slow()
        callers = [asyncio.ensure_future(cache.get("a", slow)) for _ in range(2)]
        while not slow.begun:
            await asyncio.sleep(0)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert slow.cancelled
        assert (await cache.get("a", at_once))[1] == "MISS"

    play(scenario)


def test_one_who_comes_while_an_inference_is_being_given_up_begins_anew() -> None:
    async def scenario() -> None:
        ending = asyncio.Event()

        async def ends_slowly() -> Prediction:
            try:
                await asyncio.Event().wait()
            finally:
                await ending.wait()
            raise AssertionError("it was cancelled")

        cache = MaskCache(ONE_MASK)
        leaving = asyncio.ensure_future(cache.get("a", ends_slowly))
        for _ in range(5):
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        coming = asyncio.ensure_future(cache.get("a", at_once))
        await asyncio.sleep(0)
        ending.set()
        assert (await coming)[1] == "MISS"
        assert (await cache.get("a", at_once))[1] == "HIT"
        await asyncio.gather(leaving, return_exceptions=True)

    play(scenario)


def test_a_failure_is_told_to_all_and_forgotten() -> None:
    async def scenario() -> None:
        async def fail() -> Prediction:
            await asyncio.sleep(0)
            raise UnavailableError("gone")

        cache = MaskCache(ONE_MASK)
        outcomes = await asyncio.gather(*(cache.get("a", fail) for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 3
        assert (await cache.get("a", at_once))[1] == "MISS"

    play(scenario)
