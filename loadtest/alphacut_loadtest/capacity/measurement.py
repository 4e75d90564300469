"""The whole of a capacity run: sweep, search, confirmation, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alphacut_loadtest.capacity import usl
from alphacut_loadtest.capacity.checks import Check, checks
from alphacut_loadtest.capacity.search import CLIENT_REMEDY, REPEATS, RESOLUTION, ClientLimitError, Search, Verdict
from alphacut_loadtest.capacity.trial import Target, Trial
from alphacut_loadtest.capacity.usl import Usl
from alphacut_loadtest.measure.answered import check_answered
from alphacut_loadtest.traffic.slo import Slo, rounded

CALLERS = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured, before anything is concluded."""

    sweep: tuple[Trial, ...]
    usl: Usl
    verdicts: tuple[Verdict, ...]
    confirmed: Verdict
    broken: Verdict
    checks: tuple[Check, ...]


@dataclass(slots=True)
class Progress:
    """What has been measured so far, for when the rest never is.

    Attributes:
        sweep: Closed trials.
        verdicts: Rates that were judged.
        undecided: Open trials of a rate that was not, yet.
    """

    sweep: list[Trial] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    undecided: list[Trial] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look.

    Attributes:
        callers: Of the closed sweep.
        repeats: Trials at each rate.
        resolution: Of the search, as a share.
    """

    callers: Sequence[int] = CALLERS
    repeats: int = REPEATS
    resolution: float = RESOLUTION

    def __post_init__(self) -> None:
        usl.check_callers(self.callers)


def measure(
    target: Target, slo: Slo, effort: Effort, report: Callable[[str], None], progress: Progress | None = None
) -> Measurement:
    """Measure a target.

    Args:
        target: What is put under load.
        slo: What it has to keep.
        effort: How hard to look.
        report: Told one line at a time.
        progress: Receives each trial as soon as it is over, whatever follows.

    Raises:
        NoAnswerError: Some number of callers got no answer.
        ClientLimitError: The client was the limit.
        NoCapacityError: The SLO is not kept at any rate, or not twice.
    """
    so_far = Progress() if progress is None else progress
    for callers in effort.callers:
        so_far.sweep.append(_closed(target, callers, report))
    sweep = tuple(so_far.sweep)
    law = usl.fit([(trial.level, trial.window.achieved_per_s) for trial in sweep])
    search = Search(
        *(target, slo, effort.repeats, effort.resolution, lambda verdict: report(line(verdict, slo))),
        *(so_far.verdicts, so_far.undecided),
    )
    highest = max(trial.window.achieved_per_s for trial in sweep)
    confirmed, broken = search.confirm(search.run(highest))
    if broken.kept:  # the search was stopped short by a bad moment: look again from here
        confirmed, broken = search.confirm(search.run(broken.rate_per_s / 0.75))
    return Measurement(sweep, law, tuple(search.verdicts), confirmed, broken, tuple(checks(confirmed.trials[0])))


def line(verdict: Verdict, slo: Slo) -> str:
    """Describe a verdict in one line."""
    percent, _ = slo.strictest
    seen = ", ".join(rounded(trial.window.percentile_s(percent)) for trial in verdict.trials)
    misses = [miss for trial in verdict.trials for miss in trial.misses(slo)]
    because = "" if verdict.kept else f": {misses[0]}"
    too_short = f"; {short}" if (short := verdict.shortage(slo)) else ""
    judged = "kept" if verdict.kept else "missed"
    return f"{verdict.rate_per_s:6.2f} a second, p{percent:g} {seen}: {judged}{because}{too_short}"


def _closed(target: Target, callers: int, report: Callable[[str], None]) -> Trial:
    trial = target.closed(callers)
    check_answered(trial.window, callers, trial.words or {})
    if trial.client_limit:
        raise ClientLimitError(f"with {callers} callers {trial.client_limit}; {CLIENT_REMEDY}")
    seen = trial.window
    report(f"{callers:3d} callers: {seen.achieved_per_s:.2f} a second, p50 {rounded(seen.percentile_s(50))}")
    return trial
