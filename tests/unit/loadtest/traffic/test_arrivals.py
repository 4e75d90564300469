from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphacut_loadtest.traffic.arrivals import poisson
from alphacut_loadtest.traffic.scenario import Stage

stages = st.lists(st.builds(Stage, st.floats(0.1, 20), st.floats(0, 3)), min_size=1, max_size=4)


@given(plan=stages, rate=st.floats(0.1, 20), seed=st.integers(0, 2**32))
def test_arrivals_come_in_order_within_their_stages(plan: list[Stage], rate: float, seed: int) -> None:
    times = list(poisson(plan, rate, random.Random(seed)))
    assert times == sorted(times)
    started_s = 0.0
    for stage in plan:
        inside = [at_s for at_s in times if started_s < at_s <= started_s + stage.duration_s]
        assert not (stage.rate == 0 and inside)
        started_s += stage.duration_s
    assert all(0 <= at_s <= started_s + 1e-9 for at_s in times)


@given(rate=st.floats(1, 500), seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_the_number_of_arrivals_is_the_rates(rate: float, seed: int) -> None:
    expected = 2000.0
    times = list(poisson([Stage(expected / rate, 1.0)], rate, random.Random(seed)))
    assert abs(len(times) - expected) < 6 * math.sqrt(expected)


def test_gaps_are_exponential() -> None:
    times = list(poisson([Stage(2000.0, 1.0)], 10.0, random.Random(1)))
    gaps = sorted(after - before for before, after in pairwise(times))
    n = len(gaps)
    largest = max(abs((number + 1) / n - (1 - math.exp(-10.0 * gap))) for number, gap in enumerate(gaps))
    assert largest < 1.63 / math.sqrt(n)  # Kolmogorov and Smirnov, at 1 %


def test_each_stage_has_its_own_rate() -> None:
    times = list(poisson([Stage(200, 1.0), Stage(200, 0.0), Stage(200, 3.0)], 10.0, random.Random(2)))
    counts = [sum(low < at_s <= low + 200 for at_s in times) for low in (0, 200, 400)]
    assert counts[0] == pytest.approx(2000, rel=0.1)
    assert counts[1] == 0
    assert counts[2] == pytest.approx(6000, rel=0.1)


def test_a_seed_gives_one_pattern_at_all_rates() -> None:
    slow = list(poisson([Stage(100, 1.0)], 1.0, random.Random(3)))
    fast = list(poisson([Stage(50, 1.0)], 2.0, random.Random(3)))
    assert fast == pytest.approx([at_s / 2 for at_s in slow])
