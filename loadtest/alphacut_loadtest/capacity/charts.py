"""What was tried as curves, with the capacity and the law in them where they were found."""

from __future__ import annotations

import numpy as np

from alphacut_loadtest import page
from alphacut_loadtest.capacity.result import Tried
from alphacut_loadtest.capacity.usl import Usl
from alphacut_loadtest.chart import COLOURS, Rule, Series, chart
from alphacut_loadtest.digits import three


def latency(tried: Tried, capacity_per_s: float | None = None) -> str:
    """Draw the median and the strictest percentile that is bounded, by offered rate."""
    percent, bound_s = tried.slo.strictest
    shown = dict.fromkeys((50.0, percent))
    series = [
        Series(
            f"p{each:g}",
            [(trial.window.offered_per_s, 1000 * trial.window.percentile_s(each)) for trial in tried.trials],
            COLOURS[number],
            dots=True,
        )
        for number, each in enumerate(shown)
    ]
    # Beyond the bound latency has no value of its own: it grows for as long as one looks.
    series = [
        Series(one.name, [(x, y) for x, y in one.points if y <= 4000 * bound_s], one.colour, dots=True)
        for one in series
    ]
    rules = [Rule(f"p{percent:g} promised", y=1000 * bound_s), *_capacity(capacity_per_s)]
    return chart("Latency by offered rate", "images a second", "ms", series, rules)


def rate(tried: Tried, capacity_per_s: float | None = None) -> str:
    """Draw what was achieved by what was offered; there is one open trial at least."""
    windows = [trial.window for trial in tried.trials]
    points = [(one.offered_per_s, one.achieved_per_s) for one in windows]
    most = max(x for x, _ in points)
    series = [Series("all", [(0, 0), (most, most)], COLOURS[4]), Series("achieved", points, COLOURS[0], dots=True)]
    return chart(
        "Achieved against offered rate",
        "images a second offered",
        "images a second",
        series,
        _capacity(capacity_per_s),
    )


def callers(tried: Tried, law: Usl | None = None) -> str:
    """Draw throughput by callers, and the law that was fitted to it."""
    measured = [(one.level, one.window.achieved_per_s) for one in tried.sweep]
    points = Series("measured", measured, COLOURS[1], dots=True)
    if law is None:
        return chart("Throughput by callers", "callers", "images a second", [points])
    most = tried.most_callers
    curve = [(number, law.throughput_per_s(number)) for number in np.linspace(1, most, 60)]
    knee = law.knee_callers
    return chart(
        "Throughput by callers, and the universal scalability law",
        "callers",
        "images a second",
        [Series("law", curve, COLOURS[0]), points],
        [Rule("knee", x=knee)] if knee <= most else [],
    ) + page.paragraph(
        f"lambda {three(law.lambda_per_s)} a second, sigma {law.sigma:.3g}, kappa {law.kappa:.3g}, deviation "
        f"{100 * law.error:.1f} % (Gunther, Guerrilla Capacity Planning, 2007)."
    )


def _capacity(capacity_per_s: float | None) -> list[Rule]:
    return [] if capacity_per_s is None else [Rule("capacity", x=capacity_per_s)]
