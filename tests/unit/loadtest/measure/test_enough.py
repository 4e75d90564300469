"""How many requests a percentile takes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from alphacut_loadtest.measure import enough
from alphacut_loadtest.traffic import slo

P95, P99, P999 = (slo.parse(f"p50=1s,{percent}=9s") for percent in ("p95", "p99", "p99.9"))


@pytest.mark.parametrize(
    ("promise", "rate_per_s", "lasts_s"),
    [(P95, 10, 20), (P95, 1000, 20), (P95, 4, 50), (P99, 10, 100), (P99, 1000, 20), (P999, 10, 200), (P999, 100, 100)],
)
def test_a_trial_lasts_until_ten_requests_are_expected_beyond_the_percentile_but_not_for_ever(
    promise: slo.Slo, rate_per_s: float, lasts_s: float
) -> None:
    assert enough.length_s(promise, rate_per_s, 20.0) == pytest.approx(lasts_s)
    assert (enough.shortage(promise, rate_per_s, lasts_s) is None) is (promise != P999 or rate_per_s > 10)


def test_a_trial_that_is_too_short_says_what_would_do() -> None:
    told = enough.shortage(P999, 10.0, 200.0)
    assert told is not None
    assert told.startswith("at 10 a second 200 s hold 2,000 requests, and p99.9 takes 10,000: give --trial 100, ")
    trial_s = float(re.findall(r"--trial (\d+)", told)[0])
    assert enough.shortage(P999, 10.0, enough.length_s(P999, 10.0, trial_s)) is None


@pytest.mark.parametrize(("promise", "least"), [(P95, 200), (P99, 1000), (P999, 10_000)])
def test_answers_are_too_few_up_to_the_last_that_lacks(promise: slo.Slo, least: int) -> None:
    assert enough.too_few(promise, least) is None
    told = enough.too_few(promise, least - 1)
    assert told is not None
    assert told.endswith(f" takes {least:,}, and is of {least - 1:,}")


@pytest.mark.parametrize(("percent", "from_percent", "to_percent"), [(95, 91, 97.3), (99, 98.1, 99.5)])
def test_so_many_requests_show_about_the_true_percentile(
    percent: float, from_percent: float, to_percent: float
) -> None:
    trials = np.random.default_rng(0).uniform(0, 100, (4000, round(enough.requests(percent))))
    seen = np.percentile(trials, percent, axis=1)
    assert ((from_percent <= seen) & (seen <= to_percent)).mean() > 0.94
