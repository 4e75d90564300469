"""A run held against its scenario's promise."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable

import pytest
from click.testing import CliRunner

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest import origin
from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.load.cli import load
from alphacut_loadtest.load.judgement import Judgement, judge
from alphacut_loadtest.load.report import Report
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.traffic import scenario_file, slo
from alphacut_loadtest.traffic.scenario import Scenario, Stage

PER_S = 10


def run(scenario: Scenario, refused: frozenset[int] = frozenset()) -> Run:
    """Ten requests a second, answered in 100 ms but for those that are refused."""
    rows = [
        (0, number / PER_S, number / PER_S, number / PER_S + 0.1, OUTCOMES.index(outcome), 0)
        for number in range(int(scenario.duration_s * PER_S))
        for outcome in [Outcome.REFUSED if number in refused else Outcome.ANSWERED]
    ]
    return Run(scenario, PER_S, 0, Samples.of(rows), [])


def judged(scenario: Scenario, refused: frozenset[int] = frozenset()) -> Judgement:
    """Judge such a run."""
    return judge(run(scenario, refused))


@pytest.mark.parametrize("percent", ["p75", "p99.9", "p95"])
def test_any_percentile_of_a_promise_is_measured(percent: str) -> None:
    steady = scenario_file.load("steady")
    assert judged(dataclasses.replace(steady, slo=slo.parse(f"{percent}=150ms"))).misses == ()
    (told,) = judged(dataclasses.replace(steady, slo=slo.parse(f"{percent}=50ms"))).misses
    assert told == f"{percent} is 100ms instead of 50ms"


@pytest.mark.parametrize(
    ("refused", "recovery_s"),
    [
        ([], 0.0),
        (range(300, 309), 0.9),
        (range(300, 318, 2), 1.7),
        ([*range(300, 305), 350, 400], 0.5),
        ([350, 400, 450], 0.0),
        (range(300, 500), 20.0),
    ],
    ids=["never bad", "a twentieth at once", "every other one", "stragglers after it", "stragglers alone", "for good"],
)
def test_recovery_lasts_until_no_more_than_stragglers_are_bad(refused: Iterable[int], recovery_s: float) -> None:
    overload = scenario_file.load("overload")  # its peak ends at 30 s, and all at 50 s
    found = judged(overload, frozenset(refused))
    assert found.recovery_s == pytest.approx(recovery_s, abs=0.25)
    assert found.recovered is (recovery_s < 20)


@pytest.mark.parametrize("refused", [range(300, 500), range(300, 499)], ids=["all", "all but the last"])
def test_what_has_not_recovered_by_the_end_broke_a_promise_of_more_time_than_was_left(refused: range) -> None:
    patient = slo.parse("p95=1s,refusals=100%,recovery=30s")
    overload = dataclasses.replace(scenario_file.load("overload"), slo=patient)
    assert judged(overload, frozenset(range(300, 350))).misses == ()
    (told,) = judged(overload, frozenset(refused)).misses
    assert told == "recovery takes more than the 20s that were left, promised is 30s"


@pytest.mark.parametrize(
    ("promise", "n_refused", "told"),
    [
        ("p95=1s,errors=100%", 0, None),
        ("p99=1s,errors=100%", 0, "p99 takes 1,000, and is of 350"),
        ("p99=1ms,errors=100%", 0, "p99 takes 1,000, and is of 350"),
        ("p95=1s,errors=100%", 150, None),
        ("p95=1s,errors=100%", 151, "p95 takes 200, and is of 199"),
    ],
    ids=["enough", "too few", "too few though missed", "enough beside the refused", "too few beside the refused"],
)
def test_a_percentile_of_too_few_answers_is_told_and_decides_all_the_same(
    promise: str, n_refused: int, told: str | None
) -> None:
    stages = (Stage(40.0, 1.0),)
    short = dataclasses.replace(scenario_file.load("steady"), stages=stages, warmup_s=5.0, slo=slo.parse(promise))
    ran = run(short, frozenset(range(50, 50 + n_refused)))
    found = judge(ran)
    assert found.shortage == told
    report = Report(origin.of_service(None), "embedded grpc", ran, found)
    assert report.passed is ("1ms" not in promise)
    assert ("BEWARE of too few answers" in report.verdict()) is (told is not None)
    assert json.loads(report.to_json())["judgement"]["shortage"] == told


@pytest.mark.parametrize(("late_s", "is_the_limit"), [(4.0, True), (0.0, False)])
def test_a_client_that_never_gets_beyond_the_warm_up_is_the_limit(late_s: float, is_the_limit: bool) -> None:
    steady = scenario_file.load("steady")
    rows = [(0, at_s, at_s + late_s, at_s + late_s + 0.1, 0, 0) for at_s in (0.001, 0.002, 0.003)]
    found = judge(Run(steady, 1e5, 0, Samples.of(rows), []))
    assert found.whole.requests == 0
    assert (found.client_limit is not None) is is_the_limit
    assert any("nothing came" in miss for miss in found.misses)


def test_a_promise_of_recovery_needs_a_peak_that_something_follows() -> None:
    found = CliRunner().invoke(load, ["steady", "--slo", "p95=1s,recovery=5s", "--url", "127.0.0.1:9"]).exception
    assert isinstance(found, InvalidOptionError)
    assert "nothing follows the highest stage" in str(found)
