"""Trials of the real service's kind, with a generator that has sent already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.measure.service import Service
from alphacut_loadtest.traffic import slo
from alphacut_loadtest.traffic.mix import Mix
from alphacut_loadtest.traffic.scenario import Scenario

TRIAL_S = 10.0
PER_S = 20
Ended = Callable[[int], Outcome]


@dataclass
class Sent:
    """Stands where the generator stands: evenly spaced requests, answered in 1 to 100 ms, some otherwise."""

    ended: Ended

    def run(self, scenario: Scenario, rate_per_s: float, seed: int) -> Run:
        rows = [
            (0, at_s, at_s, at_s + 0.001 * (1 + number % 100), OUTCOMES.index(self.ended(number)), 0)
            for number, at_s in enumerate(number / PER_S for number in range(int(scenario.duration_s * PER_S)))
        ]
        process = GeneratorProcess(1, 0.0, scenario.duration_s, 0.1, [], {})
        return Run(scenario, rate_per_s, seed, Samples.of(rows), [process])


def trial(promise: str, ended: Ended = lambda number: Outcome.ANSWERED, url: str = "grpc://127.0.0.1:1") -> Trial:
    generator: Any = Sent(ended)
    target = LocustTarget(Service(url, None), generator, Mix(), slo.parse(promise), 0.0, TRIAL_S)
    return target.open(PER_S, seed=0)


@pytest.mark.parametrize("percent", ["p75", "p99.9", "p95"])
def test_any_percentile_of_a_promise_is_measured(percent: str) -> None:
    kept, missed = f"{percent}=100ms", f"{percent}=50ms"
    assert trial(kept).misses(slo.parse(kept)) == []
    (told,) = trial(missed).misses(slo.parse(missed))
    assert told.startswith(f"{percent} is ")
