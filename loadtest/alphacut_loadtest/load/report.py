"""A scenario's run as a table, a page and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from alphacut_loadtest import page
from alphacut_loadtest.bench.table import table
from alphacut_loadtest.chart import COLOURS, Rule, Series, chart
from alphacut_loadtest.digits import three
from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.load.judgement import Judgement
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.measure.window import Window
from alphacut_loadtest.origin import Origin
from alphacut_loadtest.traffic import scenario_file
from alphacut_loadtest.traffic.slo import duration

SCHEMA = 1
_MOST_POINTS = 1500  # of each colour: more are a blot, and megabytes
_HEAD = ("lane", "stage", "offered/s", "achieved/s", "p50 ms", "p95 ms", "p99 ms", "refused", "failed", "refusal p95")


@dataclass(frozen=True, slots=True)
class Report:
    """A run, what it comes to, and where it comes from; ``interrupted`` if it was to be longer."""

    origin: Origin
    url: str
    run: Run
    judgement: Judgement
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether the SLO was kept, by the server and to the end."""
        return not self.judgement.misses and self.judgement.client_limit is None and not self.interrupted

    def verdict(self) -> str:
        """Return it in a sentence or two, which stand alone."""
        if self.judgement.client_limit:
            return f"No result: the client was the limit, {self.judgement.client_limit}."
        recovery_s = self.judgement.recovery_s
        found = "Recovered" if self.judgement.recovered else "Not recovered"
        recovered = "" if recovery_s is None else f" {found} {recovery_s:.1f} s after the peak."
        scenario = self.run.scenario
        until = f"INTERRUPTED after {scenario.duration_s:.0f} s, up to which " if self.interrupted else ""
        kept = f"MISSED: {'; '.join(self.judgement.misses)}" if self.judgement.misses else "kept"
        shortage = self.judgement.shortage
        beware = f" BEWARE of too few answers: {shortage}; a --speed below 1 makes it longer." if shortage else ""
        return f"{scenario.name}: {until}{scenario.slo} was {kept}.{recovered}{beware}"

    def rows(self) -> list[list[str]]:
        """Return the table's rows: parts first, then what was judged."""
        parts = [[part.lane, part.stage, *_cells(part.seen)] for part in self.judgement.parts]
        return [*parts, ["judged", "after the warm-up", *_cells(self.judgement.whole)]]

    def markdown(self) -> str:
        """Return the table and the verdict."""
        words = [f"{outcome}: {said}" for outcome, said in self.judgement.words.items()]
        base = f"The base rate, 1x, is {three(self.run.rate_per_s)} a second."
        return "\n\n".join([table(_HEAD, self.rows()), base, *words, self.verdict()])

    def html(self) -> str:
        """Return the page."""
        scenario = self.run.scenario
        return page.page(
            f"Scenario {scenario.name}",
            [
                page.paragraph(self.verdict(), "answer"),
                page.paragraph(scenario.about),
                _latencies(self.run),
                _rates(self.run),
                page.table(_HEAD, self.rows()),
                *(page.paragraph(f"{outcome}: {said}") for outcome, said in self.judgement.words.items()),
                page.paragraph(
                    f"{self.origin.created}, {self.url}, {self.origin.sender}, load before "
                    f"{self.origin.machine.load_before}; 1x is {three(self.run.rate_per_s)} a second; the SLO is "
                    f"{scenario.slo}."
                ),
            ],
        )

    def to_json(self) -> str:
        """Return everything but the single requests."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "passed": self.passed,
                "interrupted": self.interrupted,
                "origin": asdict(self.origin),
                "url": self.url,
                "rate_per_s": self.run.rate_per_s,
                "seed": self.run.seed,
                "scenario": json.loads(scenario_file.to_json(self.run.scenario)),
                "judgement": asdict(self.judgement),
            },
            indent=1,
        )


def _cells(seen: Window) -> list[str]:
    def ms(seconds: float) -> str:
        return f"{1000 * seconds:.0f}" if math.isfinite(seconds) else "none"

    return [
        f"{seen.offered_per_s:.2f}",
        f"{seen.achieved_per_s:.2f}",
        *(ms(seen.percentile_s(percent)) for percent in (50, 95, 99)),
        f"{100 * seen.refused:.1f} %",
        f"{100 * seen.failed:.1f} %",
        ms(seen.refused_latency_s["p95"]) if seen.refused_latency_s else "none",
    ]


def _latencies(run: Run) -> str:
    samples, bound_s = run.samples, run.scenario.slo.strictest[1]
    groups = {
        "as it should": samples.good,
        "refused": samples.that(Outcome.REFUSED),
        "failed": ~samples.good & ~samples.that(Outcome.REFUSED),
    }
    series = [
        Series(name, _points(samples, chosen), COLOURS[number], dots=True)
        for number, (name, chosen) in enumerate(groups.items())
        if chosen.any()
    ]
    rules = [Rule(f"{duration(bound_s)} promised", y=1000 * bound_s)]
    drawn = chart("Latency by intended start", "s", "ms", series, rules)
    if max(int(chosen.sum()) for chosen in groups.values()) > _MOST_POINTS:
        drawn += page.paragraph("Of so many requests some are drawn: the slowest of neighbours, and the first of them.")
    return drawn


def _points(samples: Samples, chosen: np.ndarray) -> Sequence[tuple[float, float]]:
    """Return seconds and milliseconds of some: of each run of neighbours the first and the slowest, of few all."""
    some = samples.where(chosen)
    latency_s = some.latency_s
    shown = np.arange(len(some))
    if len(some) > _MOST_POINTS:
        starts = shown[:: math.ceil(2 * len(some) / _MOST_POINTS)]
        # The first alone would hide the worst of an hour; the slowest alone would make everything look like it.
        runs = np.split(latency_s, starts[1:])
        slowest = [start + int(run.argmax()) for start, run in zip(starts, runs, strict=True)]
        shown = np.union1d(starts, slowest)
    return [(float(x), 1000 * float(y)) for x, y in zip(some.intended_s[shown], latency_s[shown], strict=True)]


def _rates(run: Run) -> str:
    duration_s = run.scenario.duration_s
    width_s = max(1.0, duration_s / 60)
    edges = np.arange(0, duration_s + width_s, width_s)

    def rate(times_s: np.ndarray) -> list[tuple[float, float]]:
        counted, _ = np.histogram(times_s, edges)
        return [(float(x + width_s / 2), float(y / width_s)) for x, y in zip(edges, counted, strict=False)]

    samples = run.samples
    series = [
        Series("offered", rate(samples.intended_s), COLOURS[4]),
        Series("achieved", rate(samples.ended_s[samples.good]), COLOURS[0]),
        Series("refused", rate(samples.ended_s[samples.that(Outcome.REFUSED)]), COLOURS[1]),
    ]
    return chart("Rates", "s", "a second", series)
