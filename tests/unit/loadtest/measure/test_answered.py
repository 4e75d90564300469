"""Whether anybody answers."""

from __future__ import annotations

import pytest

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure.answered import NoAnswerError, check_answered
from alphacut_loadtest.measure.window import Window, window


def seen(*ends: tuple[Outcome, bool]) -> Window:
    """Sum up a request a second, each with its end and whether its file was broken on purpose."""
    rows = [(0, at_s, at_s, at_s + 0.1, OUTCOMES.index(end), broken) for at_s, (end, broken) in enumerate(ends)]
    return window(Samples.of(rows), 0, 10)


def test_broken_files_that_the_client_rejects_by_itself_are_no_answer() -> None:
    nobody = seen((Outcome.UNAVAILABLE, False), (Outcome.REJECTED, True), (Outcome.UNAVAILABLE, False))
    assert nobody.achieved_per_s > 0
    with pytest.raises(NoAnswerError, match="callers=8 nothing was answered in 10 s: connection refused"):
        check_answered(nobody, 8, {"unavailable": "connection refused"})


@pytest.mark.parametrize(
    "ends",
    [
        ((Outcome.ANSWERED, False), (Outcome.REFUSED, False)),
        ((Outcome.ANSWERED, False), (Outcome.REJECTED, True)),
        ((Outcome.REJECTED, True), (Outcome.REJECTED, True)),
    ],
    ids=["some", "whole and broken ones", "of broken ones alone all"],
)
def test_whoever_answers_as_it_should_is_there(ends: tuple[tuple[Outcome, bool], ...]) -> None:
    check_answered(seen(*ends), 8, {})
