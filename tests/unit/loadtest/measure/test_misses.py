from __future__ import annotations

import pytest

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure.misses import misses
from alphacut_loadtest.measure.window import window
from alphacut_loadtest.traffic import slo


def missed(promise: str, *outcomes: Outcome, seconds: float = 10) -> list[str]:
    """Hold one request a second, ended in 100 ms, against a promise."""
    rows = [(0, at_s, at_s, at_s + 0.1, OUTCOMES.index(outcome), 0) for at_s, outcome in enumerate(outcomes)]
    return misses(slo.parse(promise), window(Samples.of(rows), 0, seconds))


def test_all_that_failed_are_a_hundred_percent() -> None:
    assert missed("p95=1s", *[Outcome.FAILED] * 10) == [
        "p95 is unknown instead of 1s",
        "100 % end badly instead of 0.1 %",
    ]


def test_refusals_are_errors_unless_they_were_announced() -> None:
    outcomes = [Outcome.REFUSED] * 3 + [Outcome.ANSWERED] * 5
    assert missed("p95=1s,errors=0%", *outcomes) == ["37.5 % end badly instead of 0 %"]
    assert missed("p95=1s,errors=0%,refusals=40%", *outcomes) == []
    assert missed("p95=1s,refusals=10%", *outcomes) == ["37.5 % are refused instead of 10 %"]


@pytest.mark.parametrize(
    ("promise", "outcome"), [("p95=1s,errors=0.7%", Outcome.FAILED), ("p95=1s,refusals=0.7%", Outcome.REFUSED)]
)
def test_a_share_is_kept_up_to_the_last_request_that_it_allows(promise: str, outcome: Outcome) -> None:
    assert missed(promise, *[outcome] * 7, *[Outcome.ANSWERED] * 993, seconds=1000) == []
    (told,) = missed(promise, *[outcome] * 8, *[Outcome.ANSWERED] * 992, seconds=1000)
    assert told.startswith("0.8 % ")


def test_a_bound_on_time_is_kept_by_what_takes_as_long() -> None:
    assert missed("p95=100ms", Outcome.ANSWERED) == []
    assert missed("p95=99ms", Outcome.ANSWERED) == ["p95 is 100ms instead of 99ms"]


def test_refusals_may_be_promised_to_be_quick() -> None:
    assert missed("p95=1s,refusals=50%,refused_p95=100ms", Outcome.REFUSED, Outcome.ANSWERED) == []
    told = missed("p95=1s,refusals=50%,refused_p95=99ms", Outcome.REFUSED, Outcome.ANSWERED)
    assert told == ["p95 of refusals is 100ms instead of 99ms"]
    assert missed("p95=1s,refusals=50%,refused_p95=1us", Outcome.ANSWERED) == []


@pytest.mark.parametrize("promise", ["p95=1s", "p95=1s,refusals=10%"])
def test_where_nothing_came_nothing_is_kept_and_nobody_failed(promise: str) -> None:
    assert missed(promise) == ["nothing came in 10 s"]
