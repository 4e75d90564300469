"""Limits of rate: what a caller may use in a minute, counted here or for all replicas."""

from __future__ import annotations

import asyncio

import pytest

from alphacut_gateway import allowance
from alphacut_gateway.allowance import Allowances
from alphacut_gateway.refusals import RateLimitError


class Elsewhere:
    """Counts for all replicas, and can be away."""

    def __init__(self) -> None:
        self.used = 0
        self.away = False

    async def add(self, _name: str, amount: int) -> tuple[int, float] | None:
        self.used += amount
        return None if self.away else (self.used, 30.0)


def test_an_allowance_is_whole_again_after_its_minute() -> None:
    now = 1000.0

    async def scenario() -> None:
        nonlocal now
        allowances = Allowances("megapixels", clock=lambda: now)
        await allowances.charge("caller", 9, 10)
        with pytest.raises(RateLimitError) as refused:
            await allowances.charge("caller", 2, 10)
        assert refused.value.retry_after_s == 60
        assert refused.value.headers["X-RateLimit-Remaining"] == "1"
        assert (await allowances.standing("caller", 10)).remaining == 1
        now = 1060.0
        assert (await allowances.charge("caller", 10, 10)).remaining == 0

    asyncio.run(scenario())


def test_many_callers_are_remembered_within_bounds_and_whoever_calls_again_is_not_forgotten() -> None:
    async def scenario() -> None:
        allowances = Allowances("requests", clock=lambda: 1000.0)
        for caller in ["first", "busy", *map(str, range(9_998)), "busy", "one too many"]:
            await allowances.charge(caller, 1, 2)
        assert (await allowances.standing("busy", 2)).remaining == 0
        assert (await allowances.standing("one too many", 2)).remaining == 1
        assert (await allowances.standing("first", 2)).remaining == 2

    asyncio.run(scenario())


def test_what_is_larger_than_a_whole_allowance_may_have_it_all() -> None:
    async def scenario() -> None:
        allowances = Allowances("megapixels")
        await allowances.charge("caller", 50, 10)
        with pytest.raises(RateLimitError):
            await allowances.charge("caller", 0, 10)

    asyncio.run(scenario())


def test_replicas_count_together_and_a_refusal_is_taken_back() -> None:
    async def scenario() -> None:
        counts = Elsewhere()
        one, other = (Allowances("requests", counts, clock=lambda: 100.0) for _ in range(2))
        assert (await one.charge("caller", 2, 3)).remaining == 1
        with pytest.raises(RateLimitError) as refused:
            await other.charge("caller", 2, 3)
        assert refused.value.retry_after_s == 30
        assert counts.used == 2
        assert (await other.charge("caller", 1, 3)).remaining == 0

    asyncio.run(scenario())


def test_without_the_others_a_replica_counts_by_itself() -> None:
    async def scenario() -> None:
        counts = Elsewhere()
        counts.away = True
        allowances = Allowances("requests", counts)
        await allowances.charge("caller", 3, 3)
        with pytest.raises(RateLimitError):
            await allowances.charge("caller", 1, 3)
        standing = await allowances.standing("another", 3)
        assert allowance.headers(standing)["X-RateLimit-Remaining"] == "3"

    asyncio.run(scenario())
