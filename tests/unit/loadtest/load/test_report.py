"""What the page of a run shows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.load import report
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.traffic import scenario_file


def run(latency_s: np.ndarray) -> Run:
    """Ten requests a second, all answered."""
    at_s = np.arange(len(latency_s)) / 10
    answered = np.full(len(at_s), OUTCOMES.index(Outcome.ANSWERED))
    rows = np.stack([0 * at_s, at_s, at_s, at_s + latency_s, answered, 0 * at_s], axis=1)
    return Run(scenario_file.load("soak"), 10.0, 0, Samples.of(rows), [])


@pytest.mark.parametrize("outlier", [0, 1, 17_001, 35_998, 35_999])
def test_of_a_long_run_no_outlier_is_hidden_and_the_usual_is_still_seen(outlier: int) -> None:
    latency_s = np.full(36_000, 0.1)
    latency_s[::7] = 0.3
    latency_s[outlier] = 9.0
    ran = run(latency_s)
    points = report._points(ran.samples, ran.samples.good)
    assert len(points) <= 1500
    assert [at_s for at_s, ms in points if ms == pytest.approx(9000)] == [outlier / 10]
    usual = sum(ms == pytest.approx(100) for _, ms in points)
    assert usual > 0.3 * len(points)
    assert points == sorted(points)


@pytest.mark.parametrize("requests", [1, 1499, 1500, 1501, 2999])
def test_of_a_short_run_all_are_shown_and_never_more_than_fit(requests: int) -> None:
    ran = run(np.linspace(0.1, 0.2, requests))
    points = report._points(ran.samples, ran.samples.good)
    assert len(points) == (requests if requests <= 1500 else pytest.approx(1250, rel=0.2))
    assert ("some are drawn" in report._latencies(ran)) is (requests > 1500)


def test_the_slowest_request_is_as_high_in_the_chart_as_it_was_slow() -> None:
    latency_s = np.full(36_000, 0.1)
    latency_s[20_001] = 60.0
    shown = report._latencies(run(latency_s))
    heights = {float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', shown)}
    assert min(heights) == pytest.approx(34.0, abs=1), "at the top"
