"""A run held against its scenario's promise."""

from __future__ import annotations

import dataclasses

import pytest

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.load.judgement import Judgement, judge
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.traffic import scenario_file, slo
from alphacut_loadtest.traffic.scenario import Scenario

PER_S = 10


def judged(scenario: Scenario, refused: frozenset[int] = frozenset()) -> Judgement:
    """Judge ten requests a second, answered in 100 ms but for those that are refused."""
    rows = [
        (0, number / PER_S, number / PER_S, number / PER_S + 0.1, OUTCOMES.index(outcome), 0)
        for number in range(int(scenario.duration_s * PER_S))
        for outcome in [Outcome.REFUSED if number in refused else Outcome.ANSWERED]
    ]
    return judge(Run(scenario, PER_S, 0, Samples.of(rows), []))


@pytest.mark.parametrize("percent", ["p75", "p99.9", "p95"])
def test_any_percentile_of_a_promise_is_measured(percent: str) -> None:
    steady = scenario_file.load("steady")
    assert judged(dataclasses.replace(steady, slo=slo.parse(f"{percent}=150ms"))).misses == ()
    (told,) = judged(dataclasses.replace(steady, slo=slo.parse(f"{percent}=50ms"))).misses
    assert told == f"{percent} is 100ms instead of 50ms"
