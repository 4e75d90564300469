"""Whether a run kept its scenario's SLO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure import client_limit
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.measure.window import Window, window
from alphacut_loadtest.traffic.scenario import Scenario
from alphacut_loadtest.traffic.slo import Slo, duration

_STRAGGLERS = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One lane in one stage, or in all of them."""

    lane: str
    stage: str
    seen: Window


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a run comes to.

    Attributes:
        parts: Lanes by stages.
        whole: What was judged: all lanes with arrivals, or else the callers, after the warm-up.
        recovery_s: From the end of the peak until the bounds hold for good; None without a peak.
        misses: What of the SLO was not kept, in words.
        client_limit: Why the client was the limit; None if it was not.
        words: First words of the server for each kind of outcome that was not wanted.
    """

    parts: tuple[Part, ...]
    whole: Window
    recovery_s: float | None
    misses: tuple[str, ...]
    client_limit: str | None
    words: dict[str, str]


def judge(run: Run) -> Judgement:
    """Sum up and judge."""
    scenario, samples = run.scenario, run.samples
    judged = samples.where(np.isin(samples.lane, _judged_lanes(scenario)))
    whole = window(judged, scenario.warmup_s, scenario.duration_s, scenario.slo.percents)
    recovery_s = _recovery_s(scenario, judged)
    return Judgement(
        parts=tuple(_parts(scenario, samples)),
        whole=whole,
        recovery_s=recovery_s,
        misses=tuple(_misses(scenario.slo, whole, recovery_s)),
        client_limit=client_limit.reason(whole, run.processes, scenario.slo.strictest[1]),
        words=run.words,
    )


def _judged_lanes(scenario: Scenario) -> list[int]:
    lanes = scenario.open_lanes or scenario.lanes
    return [scenario.lanes.index(lane) for lane in lanes]


def _parts(scenario: Scenario, samples: Samples) -> list[Part]:
    parts = []
    for number, lane in enumerate(scenario.lanes):
        of_lane = samples.where(samples.lane == number)
        for stage, (from_s, to_s) in zip(scenario.stages, scenario.bounds_s(), strict=True):
            title = f"{stage.rate:g}x" if lane.is_open else f"{lane.callers} callers"
            parts.append(Part(lane.name, f"{from_s:g} to {to_s:g} s, {title}", window(of_lane, from_s, to_s)))
    return parts


def _misses(slo: Slo, seen: Window, recovery_s: float | None) -> list[str]:
    found = []
    for percent, bound_s in slo.latency_s:
        got_s = seen.percentile_s(percent)
        if not got_s <= bound_s:
            found.append(f"p{percent:g} is {_time(got_s)} instead of {duration(bound_s)}")
    bad = 1 - seen.good if slo.refusals is None else seen.failed
    if bad > slo.errors:
        found.append(f"{100 * bad:.2g} % end badly instead of {100 * slo.errors:g} %")
    if slo.refusals is not None and seen.refused > slo.refusals:
        found.append(f"{100 * seen.refused:.2g} % are refused instead of {100 * slo.refusals:g} %")
    refused_s = seen.refused_latency_s.get("p95", 0.0)
    if slo.refused_p95_s is not None and refused_s > slo.refused_p95_s:
        found.append(f"p95 of refusals is {_time(refused_s)} instead of {duration(slo.refused_p95_s)}")
    if slo.recovery_s is not None and recovery_s is not None and recovery_s > slo.recovery_s:
        found.append(f"recovery takes {_time(recovery_s)} instead of {duration(slo.recovery_s)}")
    return found


def _recovery_s(scenario: Scenario, samples: Samples) -> float | None:
    """Return when, after the highest stage, requests are served well for good, up to a twentieth of stragglers."""
    peak = max(range(len(scenario.stages)), key=lambda number: scenario.stages[number].rate)
    if peak + 1 == len(scenario.stages):
        return None
    _, ended_s = scenario.bounds_s()[peak]
    after = samples.where(samples.intended_s >= ended_s)
    _, bound_s = scenario.slo.strictest
    bad = ~after.good | (after.latency_s > bound_s) | after.that(Outcome.UNSENT)
    if not len(after):
        return 0.0
    still_bad = np.cumsum(bad[::-1])[::-1] / np.arange(len(bad), 0, -1)
    recovered = np.flatnonzero(still_bad <= _STRAGGLERS)
    if not len(recovered):
        return scenario.duration_s - ended_s
    first = int(recovered[0])
    return float(after.intended_s[first] - ended_s) if first else 0.0


def _time(seconds: float) -> str:
    return duration(float(f"{seconds:.3g}")) if np.isfinite(seconds) else "unknown"
