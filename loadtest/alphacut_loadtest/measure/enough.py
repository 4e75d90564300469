"""How many requests a percentile takes, whether they were so many, and hence how long a trial lasts."""

from __future__ import annotations

import math

from alphacut_loadtest.digits import three
from alphacut_loadtest.traffic.slo import Slo

BEYOND = 10
"""Requests that are to be expected beyond the percentile.

How many of n independent requests take longer than the true p-th percentile is binomial, of the mean n (1 - p / 100),
whatever the distribution of latency (H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, Wiley 2003, section
7.1). Of a mean of 10 it is 4 to 16 in 96 of 100 trials. So what 200 requests show as p95 lies, 19 times of 20, between
the true p91 and p97.3, and what 1,000 show as p99 between p98.1 and p99.5; what far fewer show is nearly their maximum.
In a queue neighbours resemble each other, and tell less: so this is the least, and most of several trials decide.
"""

MOST_TIMES = 10
"""A trial becomes at most so many times as long as was asked for."""

_ROUNDING = 1e-6


def requests(percent: float) -> float:
    """Return how many requests a percentile, 0 to below 100, takes."""
    return BEYOND / (1 - percent / 100)


def too_few(slo: Slo, answers: int) -> str | None:
    """Return why so many answers say little of the strictest percentile, in words; None if they are enough."""
    percent, _ = slo.strictest
    return (
        None if _suffice(answers, percent) else f"p{percent:g} takes {three(requests(percent))}, and is of {answers:,}"
    )


def length_s(slo: Slo, rate_per_s: float, trial_s: float) -> float:
    """Return how long a trial lasts: longer than was asked for where the strictest percentile takes it.

    Args:
        slo: What is judged.
        rate_per_s: Of arrivals.
        trial_s: What was asked for.
    """
    percent, _ = slo.strictest
    return max(trial_s, min(requests(percent) / rate_per_s, MOST_TIMES * trial_s))


def shortage(slo: Slo, rate_per_s: float, lasted_s: float) -> str | None:
    """Return why a trial was too short for the strictest percentile, and what to do; None if it was not.

    Args:
        slo: What was judged.
        rate_per_s: Of arrivals.
        lasted_s: How long it was.
    """
    percent, _ = slo.strictest
    if _suffice(rate_per_s * lasted_s, percent):
        return None
    least = requests(percent)
    trial_s = math.ceil(least / rate_per_s / MOST_TIMES - _ROUNDING)
    return (
        f"at {three(rate_per_s)} a second {three(lasted_s)} s hold {rate_per_s * lasted_s:,.0f} requests, and "
        f"p{percent:g} takes {three(least)}: give --trial {trial_s}, of which {MOST_TIMES} times as much are taken "
        "where needed, or promise a lower percentile"
    )


def _suffice(expected: float, percent: float) -> bool:
    return expected >= requests(percent) * (1 - _ROUNDING)
