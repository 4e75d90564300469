from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.measure import client_limit
from alphacut_loadtest.measure.window import in_flight_mean, window

latencies = st.lists(st.floats(0.001, 100), min_size=1, max_size=200)


def row(at_s: float, took_s: float, outcome: Outcome = Outcome.ANSWERED, corrupt: bool = False) -> tuple[float, ...]:
    return (0, at_s, at_s, at_s + took_s, OUTCOMES.index(outcome), corrupt)


@given(took_s=latencies)
def test_percentiles_are_ordered_and_within_what_was_seen(took_s: list[float]) -> None:
    seen = window(Samples.of([row(0.0, one) for one in took_s]), 0, 1)
    ordered = [seen.percentile_s(percent) for percent in (50, 90, 95, 99)]
    assert ordered == sorted(ordered)
    assert min(took_s) - 1e-9 <= ordered[0]
    assert ordered[-1] <= max(took_s) + 1e-9


@given(took_s=latencies)
def test_at_most_one_in_twenty_is_above_the_ninety_fifth_percentile(took_s: list[float]) -> None:
    bound_s = window(Samples.of([row(0.0, one) for one in took_s]), 0, 1).percentile_s(95)
    assert sum(one > bound_s + 1e-9 for one in took_s) <= math.ceil(len(took_s) / 20)


def test_time_counts_from_the_intended_start() -> None:
    late = (0, 1.0, 3.0, 4.0, OUTCOMES.index(Outcome.ANSWERED), 0)
    seen = window(Samples.of([late]), 0, 10)
    assert seen.percentile_s(50) == 3.0
    assert seen.lag_p95_s == 2.0


def test_a_broken_file_is_right_to_be_rejected_and_wrong_to_be_answered() -> None:
    rows = [
        row(0, 0.1, Outcome.REJECTED, corrupt=True),
        row(1, 0.1, Outcome.ANSWERED, corrupt=True),
        row(2, 0.1, Outcome.REJECTED),
        row(3, 0.1, Outcome.REFUSED),
    ]
    seen = window(Samples.of(rows), 0, 10)
    assert (seen.good, seen.refused, seen.failed) == (0.25, 0.25, 0.5)
    assert seen.refused_latency_s["p95"] == pytest.approx(0.1)


def test_only_what_was_to_be_sent_between_the_two_moments_counts() -> None:
    came_s = [9.9, 10.0, 12.0, 14.5, 15.0, 30.0]
    seen = window(Samples.of([row(at_s, at_s / 10) for at_s in came_s]), 10, 15)
    assert (seen.requests, seen.duration_s, seen.offered_per_s) == (3, 5, 0.6)
    assert seen.latency_s["p50"] == pytest.approx(1.2)
    assert seen.mean_latency_s == pytest.approx((1.0 + 1.2 + 1.45) / 3)
    # By when they ended: 10.89, 11 and 13.2; not 15.95 and later.
    assert seen.achieved_per_s == 0.6


def test_what_ends_with_the_window_ends_after_it() -> None:
    assert window(Samples.of([row(3, 2), row(3, 1)]), 0, 5).achieved_per_s == 0.2


def test_a_gauge_is_averaged_over_the_window_alone() -> None:
    looks = [(4.9, 100.0), (5.0, 1.0), (7.0, 3.0), (9.9, 5.0), (10.0, 100.0)]
    assert in_flight_mean(looks, 5, 10) == 3
    assert in_flight_mean(looks, 20, 30) == 0


def test_lateness_is_told_by_its_own_95th_percentile() -> None:
    rows = [(0, 0.0, number / 100, 5.0, 0, 0) for number in range(101)]
    assert window(Samples.of(rows), 0, 1).lag_p95_s == pytest.approx(0.95)
    assert window(Samples.of([]), 0, 1).lag_p95_s == 0


def test_what_ends_after_the_window_is_offered_but_not_achieved() -> None:
    seen = window(Samples.of([row(number, 2.5) for number in range(10)]), 0, 10)
    assert seen.offered_per_s == 1.0
    assert seen.achieved_per_s == 0.8


def test_nothing_answered_is_an_infinite_latency_not_a_good_one() -> None:
    assert window(Samples.of([row(0, 1, Outcome.FAILED)]), 0, 1).percentile_s(95) == math.inf
    assert window(Samples.of([]), 0, 1).requests == 0


def process(cpu_s: float) -> GeneratorProcess:
    return GeneratorProcess(1, 0.0, 10.0, cpu_s, [], {})


def test_a_client_is_the_limit_when_it_is_late_busy_or_full() -> None:
    good = Samples.of([row(number / 10, 0.1) for number in range(100)])
    assert client_limit.reason(window(good, 0, 10), [process(1.0)], 0.3) is None
    assert "used 95 %" in str(client_limit.reason(window(good, 0, 10), [process(9.5)], 0.3))
    late = Samples.of([(0, 1.0, 1.2, 1.3, 0, 0)])
    assert "sent late" in str(client_limit.reason(window(late, 0, 10), [process(1.0)], 0.3))
    assert client_limit.reason(window(late, 0, 10), [process(1.0)], 3.0) is None
    unsent = Samples.of([row(0, 0, Outcome.UNSENT)])
    assert "could not be sent" in str(client_limit.reason(window(unsent, 0, 10), [process(1.0)], 0.3))
