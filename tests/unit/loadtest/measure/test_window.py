from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.measure import client_limit
from alphacut_loadtest.measure.window import window

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
