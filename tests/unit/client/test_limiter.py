"""The number of images under way finds itself, against a server made of arithmetic."""

from __future__ import annotations

import heapq

import pytest

from alphacut_client._limiter import AdaptiveLimit, FixedLimit, limiter


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run(limit: AdaptiveLimit, clock: Clock, images: int, places: int, service_s: float = 0.1) -> list[int]:
    """Let a server of so many places answer; return the limit after each image."""
    under_way: list[float] = []
    free_at = [clock.now_s] * places
    history = []
    for _ in range(images):
        while len(under_way) < limit.limit():
            begins = max(clock.now_s, heapq.heappop(free_at))
            heapq.heappush(free_at, begins + service_s)
            heapq.heappush(under_way, begins + service_s)
        clock.now_s = heapq.heappop(under_way)
        limit.finished()
        history.append(limit.limit())
    return history


@pytest.mark.parametrize("places", [2, 8, 24])
def test_it_grows_until_the_server_is_full_and_stays_there(places: int) -> None:
    clock = Clock()
    history = run(AdaptiveLimit(clock), clock, 3000, places)
    settled = history[1000:]
    assert min(settled) >= min(places, 4)  # never starves what the server could do
    assert sorted(settled)[len(settled) // 2] <= max(6, 2 * places)  # and piles up no more than twice that
    served_per_s = 3000 / clock.now_s
    assert served_per_s > 0.85 * places / 0.1


def test_it_starts_small_and_never_exceeds_its_bound() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    assert limit.limit() == 4
    assert max(run(limit, clock, 5000, places=500)) == limit.most == 64


def test_a_full_queue_halves_it_once_for_all_that_were_turned_away() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    run(limit, clock, 1000, places=40)
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


def test_it_grows_again_when_the_server_does() -> None:
    clock = Clock()
    limit = AdaptiveLimit(clock)
    run(limit, clock, 500, places=2)
    small = limit.limit()
    run(limit, clock, 3000, places=32)
    assert limit.limit() > 2 * small


def test_a_chosen_number_stays() -> None:
    chosen = limiter(7)
    assert isinstance(chosen, FixedLimit)
    chosen.finished()
    chosen.overloaded()
    assert chosen.limit() == chosen.most == 7
    assert isinstance(limiter(None), AdaptiveLimit)
