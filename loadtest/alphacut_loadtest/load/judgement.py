"""Whether a run kept its scenario's SLO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alphacut_loadtest.generator.outcome import Outcome
from alphacut_loadtest.generator.records import Samples
from alphacut_loadtest.measure import client_limit, enough
from alphacut_loadtest.measure.misses import misses
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.measure.window import Window, window
from alphacut_loadtest.traffic.scenario import Scenario
from alphacut_loadtest.traffic.slo import Slo, duration, rounded

_STRAGGLERS = 0.05
_SOON = 20  # requests, of which one may be a straggler


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
        recovery_s: From the end of the peak until the bounds hold for good, or else until the run was over; None
            without a peak that something follows.
        recovered: Whether they held before it was over, for long enough to tell; None likewise.
        misses: What of the SLO was not kept, in words.
        client_limit: Why the client was the limit; None if it was not.
        shortage: Why there were too few answers for the strictest percentile; None if there were not.
        words: First words of the server for each kind of outcome that was not wanted.
    """

    parts: tuple[Part, ...]
    whole: Window
    recovery_s: float | None
    recovered: bool | None
    misses: tuple[str, ...]
    client_limit: str | None
    shortage: str | None
    words: dict[str, str]


def judge(run: Run) -> Judgement:
    """Sum up and judge."""
    scenario, samples = run.scenario, run.samples
    judged = samples.where(np.isin(samples.lane, _judged_lanes(scenario)))
    whole = window(judged, scenario.warmup_s, scenario.duration_s, scenario.slo.percents)
    # Of a client that never got beyond the warm-up nothing is seen after it.
    sent = whole if whole.requests else window(judged, 0, scenario.duration_s)
    recovery_s, recovered = _recovery(scenario, judged)
    return Judgement(
        parts=tuple(_parts(scenario, samples)),
        whole=whole,
        recovery_s=recovery_s,
        recovered=recovered,
        misses=(*misses(scenario.slo, whole), *_late_recovery(scenario.slo, recovery_s, recovered)),
        client_limit=client_limit.reason(sent, run.processes, scenario.slo.strictest[1]),
        shortage=enough.too_few(scenario.slo, round(whole.good * whole.requests)),
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


def _late_recovery(slo: Slo, recovery_s: float | None, recovered: bool | None) -> list[str]:
    if slo.recovery_s is None or recovery_s is None:
        return []
    if not recovered:
        return [
            f"recovery takes more than the {rounded(recovery_s)} that were left, promised is {duration(slo.recovery_s)}"
        ]
    if recovery_s <= slo.recovery_s:
        return []
    return [f"recovery takes {rounded(recovery_s)} instead of {duration(slo.recovery_s)}"]


def _recovery(scenario: Scenario, samples: Samples) -> tuple[float | None, bool | None]:
    """Return when, after the highest stage, requests are served well: at once, soon after and for good; and whether.

    Up to a twentieth may be stragglers.
    """
    ended_s = scenario.peak_ended_s
    if ended_s is None:
        return None, None
    after = samples.where(samples.intended_s >= ended_s)
    _, bound_s = scenario.slo.strictest
    bad = ~after.good | (after.latency_s > bound_s) | after.that(Outcome.UNSENT)
    if not len(after):
        return 0.0, True
    so_far = np.concatenate(([0], np.cumsum(bad)))
    from_here = np.arange(len(bad))
    soon = np.minimum(from_here + _SOON, len(bad))
    bad_soon = (so_far[soon] - so_far[:-1]) / _SOON
    bad_later = (so_far[-1] - so_far[:-1]) / (len(bad) - from_here)
    # Of a long calm a twentieth may be all that was bad at its start, which is no straggler.
    calm = ~bad & (bad_soon <= _STRAGGLERS) & (bad_later <= _STRAGGLERS)
    # The last request alone may be served well by chance.
    enough = len(bad) - from_here >= min(_SOON, len(bad) // 2)
    recovered = np.flatnonzero(calm & enough)
    if not len(recovered):
        return scenario.duration_s - ended_s, False
    first = int(recovered[0])
    return float(after.intended_s[first] - ended_s) if first else 0.0, True
