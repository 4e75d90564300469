"""Trials of the real service's kind, with a generator that has sent already."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from alphacut_core.errors import UnavailableError
from alphacut_loadtest.capacity.locust_target import LocustTarget
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.generator.outcome import OUTCOMES, Outcome
from alphacut_loadtest.generator.records import GeneratorProcess, Samples
from alphacut_loadtest.measure.run import Run
from alphacut_loadtest.measure.service import Service, ServiceEndedError
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
    kept, missed = f"{percent}=101ms", f"{percent}=50ms"
    assert trial(kept).misses(slo.parse(kept)) == []
    (told,) = trial(missed).misses(slo.parse(missed))
    assert told.startswith(f"{percent} is ")


@pytest.mark.parametrize("lives", [True, False])
def test_metrics_that_are_gone_with_their_server_are_not_what_is_amiss(lives: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:

        def run(*_: object) -> Run:
            if not lives:
                process.kill()
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            raise UnavailableError("found no metrics")

        service = Service("grpc://127.0.0.1:9", None, {process.pid: lambda: ""})
        generator: Any = SimpleNamespace(run=run)
        target = LocustTarget(service, generator, Mix(), slo.parse("p95=1s"), 0.0, TRIAL_S)
        with pytest.raises(UnavailableError if lives else ServiceEndedError):
            target.open(PER_S, seed=0)
        process.kill()


@pytest.mark.parametrize(("percent", "lasts_s"), [("p50", 10), ("p95", 10), ("p99", 50), ("p99.9", 100)])
def test_a_trial_lasts_as_long_as_its_percentile_takes(percent: str, lasts_s: float) -> None:
    assert trial(f"{percent}=1s").window.duration_s == pytest.approx(lasts_s)


@pytest.mark.parametrize(
    ("outcome", "every", "kept", "missed", "told"),
    [
        (Outcome.FAILED, 25, "errors=5%", "errors=3%", "4 % end badly instead of 3 %"),
        (Outcome.FAILED, 10, "errors=10%", "errors=9%", "10 % end badly instead of 9 %"),
        (Outcome.REFUSED, 20, "refusals=10%,errors=0%", "refusals=0%", "5 % are refused instead of 0 %"),
        (Outcome.REFUSED, 20, "errors=5%", "errors=1%", "5 % end badly instead of 1 %"),
        (
            Outcome.REFUSED,
            20,
            "refusals=10%,refused_p95=200ms",
            "refusals=10%,refused_p95=1ms",
            "p95 of refusals is 81ms instead of 1ms",
        ),
    ],
)
def test_what_may_end_badly_is_as_much_as_was_promised(
    outcome: Outcome, every: int, kept: str, missed: str, told: str
) -> None:
    def ended(number: int) -> Outcome:
        return outcome if number % every == 0 else Outcome.ANSWERED

    assert trial(f"p95=1s,{kept}", ended).misses(slo.parse(f"p95=1s,{kept}")) == []
    assert trial(f"p95=1s,{missed}", ended).misses(slo.parse(f"p95=1s,{missed}")) == [told]


def test_a_server_that_refuses_too_many_is_to_blame_however_late_they_were_sent() -> None:
    def ended(number: int) -> Outcome:
        return Outcome.REFUSED if number % 3 == 0 else Outcome.ANSWERED

    assert trial("p95=1s", ended).blames_server(slo.parse("p95=1s"))
    assert not trial("p95=1s").blames_server(slo.parse("p95=1s"))


def test_a_client_without_room_for_more_requests_does_not_put_the_blame_on_the_server() -> None:
    unsent = trial("p95=1s", lambda number: Outcome.UNSENT if number % 10 == 0 else Outcome.ANSWERED)
    assert unsent.misses(slo.parse("p95=1s")) == ["10 % end badly instead of 0.1 %"]
    assert not unsent.blames_server(slo.parse("p95=1s"))


@pytest.mark.parametrize("turned_away", [Outcome.REFUSED, Outcome.REJECTED])
def test_what_a_gateway_turns_away_is_not_looked_for_in_tritons_books(turned_away: Outcome) -> None:
    def ended(number: int) -> Outcome:
        return turned_away if number % 4 == 0 else Outcome.ANSWERED

    assert trial("p95=1s", ended, "http://127.0.0.1:1").sent == 150
    assert trial("p95=1s", ended, "grpc://127.0.0.1:1").sent == 200
