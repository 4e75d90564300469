"""All that one capacity run found, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alphacut_loadtest.capacity.bottleneck import Bottleneck
from alphacut_loadtest.capacity.checks import Check
from alphacut_loadtest.capacity.fleet import Fleet
from alphacut_loadtest.capacity.search import Verdict
from alphacut_loadtest.capacity.second_opinion import SecondOpinion
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.capacity.usl import Usl
from alphacut_loadtest.origin import Origin
from alphacut_loadtest.traffic.slo import Slo

SCHEMA = 1
"""Raised when a reader of older results would misread newer ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What was measured, and of what, whether or not anything follows from it.

    Attributes:
        origin: Where it comes from.
        url: What was under load; ``embedded`` for a server that was started for it.
        scenario: Name of the scenario whose first lane's requests were sent.
        slo: What had to be kept.
        trial_s: Length of a trial.
        sweep: Closed trials by number of callers.
        verdicts: Open trials by rate, in the order of the search.
    """

    origin: Origin
    url: str
    scenario: str
    slo: Slo
    trial_s: float
    sweep: Sequence[Trial]
    verdicts: Sequence[Verdict]

    @property
    def trials(self) -> list[Trial]:
        """All open trials."""
        return [trial for verdict in self.verdicts for trial in verdict.trials]

    @property
    def most_callers(self) -> float:
        """The highest number of callers in the sweep."""
        return max(trial.level for trial in self.sweep)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result(Tried):
    """What was measured and what follows from it.

    Attributes:
        usl: The law fitted to the sweep.
        confirmed: The answer's rate, with arrivals not seen before.
        broken: The same at 1.3 times the rate.
        checks: Of the measurement against itself and Triton's books.
        bottleneck: What saturates, in the first trial at 1.3 times the rate.
        fleet: Machines and price.
        second_opinion: perf_analyzer's.
    """

    usl: Usl
    confirmed: Verdict
    broken: Verdict
    checks: Sequence[Check]
    bottleneck: Bottleneck
    fleet: Fleet
    second_opinion: SecondOpinion

    @property
    def capacity_per_s(self) -> float:
        """Images a second that one machine serves within the SLO."""
        return self.confirmed.rate_per_s

    @property
    def proven(self) -> bool:
        """Whether the rate was kept again, 1.3 times as much was not, and the books agree; of enough requests."""
        enough = self.shortage is None
        return enough and self.confirmed.kept and not self.broken.kept and all(check.holds for check in self.checks)

    @property
    def shortage(self) -> str | None:
        """Why trials were too short for the strictest percentile, and what to do; None if they were not."""
        return self.confirmed.shortage(self.slo)

    @property
    def percentile_s(self) -> float:
        """The strictest bounded percentile at the confirmed rate: the median of its trials."""
        return median_percentile_s(self.confirmed, self.slo)

    def to_json(self) -> str:
        """Return everything; times in seconds."""
        content = content_of(self)
        content["confirmed"], content["broken"] = _verdict(self.confirmed), _verdict(self.broken)
        content["checks"] = [{**asdict(one), "holds": one.holds} for one in self.checks]
        summary = {
            "schema": SCHEMA,
            "capacity_per_s": self.capacity_per_s,
            "percentile_s": self.percentile_s,
            "proven": self.proven,
            "shortage": self.shortage,
        }
        return json.dumps({**summary, **content}, indent=1)


def median_percentile_s(verdict: Verdict, slo: Slo) -> float:
    """Return the median over a rate's trials of the strictest percentile that is bounded."""
    percent, _ = slo.strictest
    found = sorted(trial.window.percentile_s(percent) for trial in verdict.trials)
    return found[len(found) // 2]


def content_of(tried: Tried) -> dict[str, Any]:
    """Return all that JSON is to hold of it."""
    return {
        **asdict(tried),
        "slo": str(tried.slo),
        "sweep": [trial_content(one) for one in tried.sweep],
        "verdicts": [_verdict(one) for one in tried.verdicts],
    }


def trial_content(trial: Trial) -> Mapping[str, Any]:
    """Return what JSON is to hold of a trial."""
    content = asdict(trial)
    del content["pending"]  # one number says it
    return {**content, "queue_growth": trial.queue_growth()}


def _verdict(verdict: Verdict) -> Mapping[str, Any]:
    return {
        "rate_per_s": verdict.rate_per_s,
        "kept": verdict.kept,
        "trials": [trial_content(one) for one in verdict.trials],
    }
