"""A result on one page."""

from __future__ import annotations

import numpy as np

from alphacut_loadtest import page
from alphacut_loadtest.capacity import answer
from alphacut_loadtest.capacity.result import Result
from alphacut_loadtest.capacity.search import BREAK_FACTOR
from alphacut_loadtest.chart import COLOURS, Rule, Series, chart
from alphacut_loadtest.digits import three


def html(result: Result) -> str:
    """Lay out the answer, the curves, and what stands behind them."""
    return page.page(
        "Capacity",
        [
            page.paragraph(answer.paragraph(result), "answer"),
            _latency(result),
            _rate(result),
            _law(result),
            page.heading("Rates that were tried"),
            _rates(result),
            page.heading(f"Where the time goes, at {BREAK_FACTOR:g} times the capacity"),
            _stages(result),
            page.heading("Checks"),
            _checks(result),
            page.heading("Where this comes from"),
            page.paragraph(_origin(result)),
        ],
    )


def _latency(result: Result) -> str:
    trials = [one for verdict in result.verdicts for one in verdict.trials]
    percent, bound_s = result.slo.strictest
    shown = dict.fromkeys((50.0, percent))
    series = [
        Series(
            f"p{each:g}",
            [(trial.window.offered_per_s, 1000 * trial.window.percentile_s(each)) for trial in trials],
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
    rules = [Rule(f"p{percent:g} promised", y=1000 * bound_s), Rule("capacity", x=result.capacity_per_s)]
    return chart("Latency by offered rate", "images a second", "ms", series, rules)


def _rate(result: Result) -> str:
    windows = [one.window for verdict in result.verdicts for one in verdict.trials]
    points = [(one.offered_per_s, one.achieved_per_s) for one in windows]
    most = max(x for x, _ in points)
    series = [Series("all", [(0, 0), (most, most)], COLOURS[4]), Series("achieved", points, COLOURS[0], dots=True)]
    return chart(
        "Achieved against offered rate",
        "images a second offered",
        "images a second",
        series,
        [Rule("capacity", x=result.capacity_per_s)],
    )


def _law(result: Result) -> str:
    measured = [(one.level, one.window.achieved_per_s) for one in result.sweep]
    most = result.most_callers
    curve = [(callers, result.usl.throughput_per_s(callers)) for callers in np.linspace(1, most, 60)]
    knee = result.usl.knee_callers
    law = result.usl
    return chart(
        "Throughput by callers, and the universal scalability law",
        "callers",
        "images a second",
        [Series("law", curve, COLOURS[0]), Series("measured", measured, COLOURS[1], dots=True)],
        [Rule("knee", x=knee)] if knee <= most else [],
    ) + page.paragraph(
        f"lambda {three(law.lambda_per_s)} a second, sigma {law.sigma:.3g}, kappa {law.kappa:.3g}, deviation "
        f"{100 * law.error:.1f} % (Gunther, Guerrilla Capacity Planning, 2007)."
    )


def _rates(result: Result) -> str:
    rows = [
        [
            three(verdict.rate_per_s),
            three(trial.window.offered_per_s),
            three(trial.window.achieved_per_s),
            *(
                f"{1000 * trial.window.percentile_s(percent):.0f}" if trial.window.latency_s else "none"
                for percent in (50, 95, 99)
            ),
            f"{three(100 * (1 - trial.window.good))} %",
            f"{trial.queue_growth():+.0f}",
            "yes" if not trial.misses(result.slo) else "; ".join(trial.misses(result.slo)),
        ]
        for verdict in result.verdicts
        for trial in verdict.trials
    ]
    head = ("rate", "offered", "achieved", "p50 ms", "p95 ms", "p99 ms", "bad", "queue", "kept")
    return page.table(head, rows)


def _stages(result: Result) -> str:
    rows = [
        [
            name,
            f"{1000 * one.queue_s:.1f}",
            f"{1000 * one.compute_s:.1f}",
            f"{one.batch:.1f}",
            f"{1000 * one.cpu_s:.1f}",
        ]
        for name, one in result.bottleneck.stages.items()
    ]
    spent = ", ".join(f"{part} {100 * share:.0f} %" for part, share in result.bottleneck.cpu_share.items())
    head = ("stage", "waits ms", "takes ms", "batch", "processor ms an image")
    outside_s = result.bottleneck.outside_s
    outside = (
        "Time outside Triton: not known."
        if outside_s is None
        else f"Outside Triton {1000 * outside_s:.1f} ms an image."
    )
    return page.table(head, rows) + page.paragraph(
        f"{outside} Processors of this machine: {spent or 'not known, the server is elsewhere'}."
    )


def _checks(result: Result) -> str:
    rows = [[one.name, three(one.expected), three(one.got), "yes" if one.holds else "NO"] for one in result.checks]
    return page.table(("what", "expected", "got", "holds"), rows) + page.paragraph(result.second_opinion.in_words())


def _origin(result: Result) -> str:
    origin = result.origin
    commit = "unknown commit"
    if origin.commit is not None:
        commit = f"commit {origin.commit.sha[:12]}" + (" with changes" if origin.commit.changed else "")
    versions = ", ".join(f"{name} {version}" for name, version in origin.versions.items())
    return (
        f"{origin.created}, {commit}, {origin.engine or 'engine unknown'}, server {result.url}, "
        f"{origin.sender}, {origin.machine.memory_bytes / 2**30:.0f} GiB, "
        f"{origin.machine.system}, load before {origin.machine.load_before}; {versions}; trials of "
        f"{result.trial_s:g} s."
    )
