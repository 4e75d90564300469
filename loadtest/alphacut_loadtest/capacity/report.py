"""A result on one page."""

from __future__ import annotations

from alphacut_loadtest import page
from alphacut_loadtest.capacity import answer, charts
from alphacut_loadtest.capacity.partial import Partial
from alphacut_loadtest.capacity.result import Result, Tried
from alphacut_loadtest.capacity.search import BREAK_FACTOR
from alphacut_loadtest.digits import three


def html(result: Result) -> str:
    """Lay out the answer, the curves, and what stands behind them."""
    return page.page(
        "Capacity",
        [
            page.paragraph(answer.paragraph(result), "answer"),
            charts.latency(result, result.capacity_per_s),
            charts.rate(result, result.capacity_per_s),
            charts.callers(result, result.usl),
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


def html_of_partial(partial: Partial) -> str:
    """Lay out why there is no answer, and what was tried."""
    return page.page(
        "No capacity",
        [
            page.paragraph(partial.paragraph(), "answer"),
            *([charts.latency(partial), charts.rate(partial)] if partial.trials else []),
            charts.callers(partial),
            page.heading("Rates that were tried"),
            _rates(partial),
            page.heading("Where this comes from"),
            page.paragraph(_origin(partial)),
        ],
    )


def _rates(tried: Tried) -> str:
    rows = [
        [
            three(trial.level),
            f"{trial.window.requests:,}",
            three(trial.window.offered_per_s),
            three(trial.window.achieved_per_s),
            *(
                f"{1000 * trial.window.percentile_s(percent):.0f}" if trial.window.latency_s else "none"
                for percent in (50, 95, 99)
            ),
            f"{three(100 * (1 - trial.window.good))} %",
            f"{trial.queue_growth():+.0f}",
            "yes" if not trial.misses(tried.slo) else "; ".join(trial.misses(tried.slo)),
        ]
        for trial in tried.trials
    ]
    head = ("rate", "requests", "offered", "achieved", "p50 ms", "p95 ms", "p99 ms", "bad", "queue", "kept")
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


def _origin(tried: Tried) -> str:
    origin = tried.origin
    commit = "unknown commit"
    if origin.commit is not None:
        commit = f"commit {origin.commit.sha[:12]}" + (" with changes" if origin.commit.changed else "")
    versions = ", ".join(f"{name} {version}" for name, version in origin.versions.items())
    return (
        f"{origin.created}, {commit}, {origin.engine or 'engine unknown'}, server {tried.url}, "
        f"{origin.sender}, {origin.machine.memory_bytes / 2**30:.0f} GiB, "
        f"{origin.machine.system}, load before {origin.machine.load_before}; {versions}; trials of "
        f"{tried.trial_s:g} s."
    )
