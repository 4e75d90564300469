from __future__ import annotations

import pytest

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure.misses import misses
from alphacut_loadtest.measure.window import window
from alphacut_loadtest.traffic import slo


def missed(promise: str, *outcomes: Outcome) -> list[str]:
    """Hold one request a second, ended in 100 ms, against a promise."""
    rows = [(0, at_s, at_s, at_s + 0.1, OUTCOMES.index(outcome), 0) for at_s, outcome in enumerate(outcomes)]
    return misses(slo.parse(promise), window(Samples.of(rows), 0, 10))


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


@pytest.mark.parametrize("promise", ["p95=1s", "p95=1s,refusals=10%"])
def test_where_nothing_came_nothing_is_kept_and_nobody_failed(promise: str) -> None:
    assert missed(promise) == ["nothing came in 10 s"]
