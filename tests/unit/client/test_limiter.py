"""The number of images under way finds itself, against servers made of arithmetic."""

from __future__ import annotations

import heapq
import random
import statistics
from collections.abc import Callable
from typing import Protocol

import pytest

from alphacut_client._limiter import AdaptiveLimit, FixedLimit, Limiter, limiter

SIZES = (1, 2, 4, 8, 16, 32, 64)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Simulated(Protocol):
    def begin(self, now_s: float) -> None: ...

    def next_end_s(self) -> float: ...


class Places:
    """A processor: so many images at once, each for 0.1 s in the mean; large ones take several times as long."""

    def __init__(self, places: int, spread: float = 0.0, seed: int = 0) -> None:
        self._free_at_s = [0.0] * places
        self._ends_s: list[float] = []
        self._spread = spread
        self._random = random.Random(seed)

    def begin(self, now_s: float) -> None:
        begins_s = max(now_s, heapq.heappop(self._free_at_s))
        ends_s = begins_s + 0.1 * self._random.lognormvariate(-(self._spread**2) / 2, self._spread)
        heapq.heappush(self._free_at_s, ends_s)
        heapq.heappush(self._ends_s, ends_s)

    def next_end_s(self) -> float:
        return heapq.heappop(self._ends_s)


class Batches:
    """A GPU: whatever waits goes in one batch of at most 64, which costs 5 ms and 0.5 ms an image, more or less."""

    def __init__(self, seed: int = 0) -> None:
        self._waiting_s: list[float] = []
        self._ends_s: list[float] = []
        self._free_at_s = 0.0
        self._random = random.Random(seed)

    def begin(self, now_s: float) -> None:
        self._waiting_s.append(now_s)

    def next_end_s(self) -> float:
        if not self._ends_s:
            begins_s = max(self._free_at_s, self._waiting_s[0])
            batch = [one for one in self._waiting_s if one <= begins_s][:64]
            self._waiting_s = self._waiting_s[len(batch) :]
            self._free_at_s = begins_s + (0.005 + 0.0005 * len(batch)) * self._random.uniform(0.8, 1.2)
            self._ends_s = [self._free_at_s] * len(batch)
        return self._ends_s.pop()


def run(limit: Limiter, clock: Clock, images: int, server: Simulated) -> list[int]:
    """Let a server answer a batch; return the limit after each image. Tells what ``_window`` tells."""
    limit.started()
    begun = under_way = 0
    history = []
    for _ in range(images):
        while begun < images and under_way < limit.limit():
            server.begin(clock.now_s)
            begun += 1
            under_way += 1
        clock.now_s = server.next_end_s()
        under_way -= 1
        if begun < images:
            limit.finished()
        history.append(limit.limit())
    return history


def duration_s(limit: Limiter, images: int, server: Simulated, clock: Clock | None = None) -> float:
    clock = clock or Clock()
    started_s = clock.now_s
    run(limit, clock, images, server)
    return clock.now_s - started_s


def of_the_best(images: int, make: Callable[[int], Simulated]) -> float:
    """Return its mean throughput as a share of the best fixed window's, over twelve servers."""
    shares = []
    for seed in range(12):
        best_s = min(duration_s(FixedLimit(window), images, make(seed)) for window in SIZES)
        clock = Clock()
        shares.append(best_s / duration_s(AdaptiveLimit(clock), images, make(seed), clock))
    return statistics.mean(shares)


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("places", [1, 2, 4])
@pytest.mark.parametrize("images", [12, 64, 1000])
def test_a_small_server_loses_nothing_by_the_search(images: int, places: int, spread: float) -> None:
    assert of_the_best(images, lambda seed: Places(places, spread, seed)) > 0.98


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("places", [8, 16, 32, 64])
def test_a_large_server_is_filled_within_a_long_batch(places: int, spread: float) -> None:
    assert of_the_best(1000, lambda seed: Places(places, spread, seed)) > 0.82


def test_a_server_that_batches_is_filled_within_a_long_batch() -> None:
    assert of_the_best(1000, Batches) > 0.85


@pytest.mark.parametrize(("places", "lowest"), [(8, 0.99), (16, 0.75), (32, 0.45)])
def test_a_batch_of_64_gets_somewhere_while_it_searches(places: int, lowest: float) -> None:
    assert of_the_best(64, lambda seed: Places(places, 0.5, seed)) > lowest


@pytest.mark.parametrize(("places", "lowest", "highest"), [(1, 4, 8), (2, 4, 8), (8, 8, 32), (64, 64, 64)])
def test_it_stays_where_more_brings_nothing(places: int, lowest: int, highest: int) -> None:
    """Over ten thousand photographs that differ, in the median; it must not climb by one lucky measurement after
    another."""
    medians = []
    for seed in range(5):
        clock = Clock()
        medians.append(statistics.median(run(AdaptiveLimit(clock), clock, 10_000, Places(places, 0.5, seed))))
    assert lowest <= statistics.median(medians) <= highest


@pytest.mark.parametrize("images", [24, 64])
def test_batches_that_are_short_teach_it_too_whatever_lies_between_them(images: int) -> None:
    for places, lowest, highest in ((1, 4, 16), (2, 4, 16), (64, 16, 64)):
        clock = Clock()
        limit = AdaptiveLimit(clock)
        for _ in range(1000 // images):
            run(limit, clock, images, Places(places))
            clock.now_s += 3600
        assert lowest <= limit.limit() <= highest


def test_it_starts_small_and_never_exceeds_its_bound() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    assert limit.limit() == 8
    assert max(run(limit, clock, 5000, Places(500))) == limit.most == 64


def test_a_full_queue_halves_it_once_for_all_that_were_turned_away() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    run(limit, clock, 300, Places(40))
    before = limit.limit()
    assert before > 20
    for _ in range(5):
        limit.overloaded()
    assert limit.limit() == before // 2
    limit.finished()
    limit.overloaded()
    assert limit.limit() == before // 4


def test_it_never_falls_below_one() -> None:
    limit = AdaptiveLimit(Clock())
    for _ in range(10):
        limit.overloaded()
        limit.finished()
    assert limit.limit() == 1


def test_it_grows_with_the_server_and_shrinks_with_it() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    run(limit, clock, 500, Places(2))
    assert limit.limit() <= 16
    run(limit, clock, 3000, Places(64))
    assert limit.limit() == 64
    run(limit, clock, 8000, Places(2))
    assert limit.limit() <= 16


def test_a_chosen_number_stays() -> None:
    chosen = limiter(7)
    assert isinstance(chosen, FixedLimit)
    chosen.started()
    chosen.finished()
    chosen.overloaded()
    assert chosen.limit() == chosen.most == 7
    assert isinstance(limiter(None), AdaptiveLimit)
