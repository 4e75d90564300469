from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphacut_core.errors import InvalidOptionError
from alphacut_loadtest.capacity.measurement import Effort, measure
from alphacut_loadtest.capacity.search import BREAK_FACTOR, RESOLUTION, ClientLimitError, NoCapacityError, Search
from alphacut_loadtest.capacity.trial import Trial
from alphacut_loadtest.measure.answered import NoAnswerError
from alphacut_loadtest.traffic import slo

from .conftest import QueueServer

PROMISES = [(1, 100.0, "p95=300ms"), (2, 20.0, "p95=400ms"), (8, 10.0, "p99=900ms")]


@pytest.mark.parametrize(("n_servers", "service_per_s", "promise"), PROMISES)
def test_the_capacity_of_a_known_queue_is_found_within_five_percent(
    queue_server: Any, n_servers: int, service_per_s: float, promise: str
) -> None:
    server, promised = queue_server(n_servers, service_per_s), slo.parse(promise)
    found = measure(server, promised, Effort(resolution=0.04), lambda line: None)
    true_per_s = server.capacity_per_s(*promised.strictest)
    assert found.confirmed.rate_per_s == pytest.approx(true_per_s, rel=0.05)
    roughly = measure(server, promised, Effort(), lambda line: None)
    assert (1 - RESOLUTION - 0.05) * true_per_s < roughly.confirmed.rate_per_s < 1.05 * true_per_s


def test_what_is_found_is_kept_again_and_missed_at_a_third_more(queue_server: Any) -> None:
    found = measure(queue_server(2, 20.0), slo.parse("p95=400ms"), Effort(), lambda line: None)
    assert found.confirmed.kept
    assert not found.broken.kept
    assert found.broken.rate_per_s == pytest.approx(BREAK_FACTOR * found.confirmed.rate_per_s)
    seen = {trial.seed for verdict in found.verdicts[:-2] for trial in verdict.trials}
    assert not seen & {trial.seed for trial in (*found.confirmed.trials, *found.broken.trials)}


def test_the_same_seeds_give_the_same_answer(queue_server: Any) -> None:
    promised = slo.parse("p95=400ms")
    answers = {Search(queue_server(1, 30.0), promised).run(30.0) for _ in range(2)}
    assert len(answers) == 1


@pytest.mark.parametrize("guess", [5.0, 400.0])
def test_a_wrong_guess_costs_trials_but_not_the_answer(queue_server: Any, guess: float) -> None:
    server, promised = queue_server(1, 100.0), slo.parse("p95=300ms")
    found = Search(server, promised, resolution=0.04).run(guess)
    assert found == pytest.approx(server.capacity_per_s(95, 0.3), rel=0.06)


def test_a_promise_that_no_rate_keeps_is_no_capacity(queue_server: Any) -> None:
    with pytest.raises(NoCapacityError, match="not kept even at"):
        Search(queue_server(1, 10.0), slo.parse("p95=100ms")).run(10.0)


def test_a_client_that_sends_late_is_no_result(queue_server: Any) -> None:
    with pytest.raises(ClientLimitError, match="no result"):
        Search(queue_server(1, 100.0, lag_s=0.1), slo.parse("p95=300ms")).run(60.0)


def test_an_overloaded_server_that_makes_its_client_late_is_still_judged(queue_server: Any) -> None:
    verdict = Search(queue_server(1, 100.0, lag_s=0.1), slo.parse("p95=300ms")).judge(150.0)
    assert not verdict.kept


def test_a_dead_server_ends_the_sweep_at_once_with_what_was_heard(queue_server: Any) -> None:
    @dataclass
    class Dead:
        asked: list[int]

        def closed(self, callers: int) -> Trial:
            self.asked.append(callers)
            trial: Trial = queue_server(1, 10.0).closed(callers)
            nothing = dataclasses.replace(trial.window, achieved_per_s=0.0, good=0.0, latency_s={})
            words = {"unavailable": "connection refused"}
            return dataclasses.replace(trial, window=nothing, words=words, client_limit="a process used 95 % of a core")

        def open(self, rate_per_s: float, seed: int) -> Trial:
            raise AssertionError

    dead = Dead([])
    with pytest.raises(NoAnswerError, match=r"callers=1 nothing was answered in .*: connection refused; see whether"):
        measure(dead, slo.parse("p95=1s"), Effort(), lambda line: None)
    assert dead.asked == [1]


def test_too_few_numbers_of_callers_are_refused_before_anything_is_measured() -> None:
    with pytest.raises(InvalidOptionError, match="got 2 numbers of callers"):
        Effort(callers=(1, 8))


@dataclass
class Decided:
    """A server of which the rates that it keeps, and with which seeds, are known beforehand."""

    like: Trial
    keeps: Callable[[float, int], bool]
    asked: list[tuple[float, int]] = field(default_factory=list)

    def open(self, rate_per_s: float, seed: int) -> Trial:
        self.asked.append((rate_per_s, seed))
        seconds = 0.1 if self.keeps(rate_per_s, seed) else 2.0
        seen = dataclasses.replace(self.like.window, latency_s={"p95": seconds})
        return dataclasses.replace(self.like, level=rate_per_s, seed=seed, window=seen, pending=())

    def closed(self, callers: int) -> Trial:
        raise AssertionError


PROMISED = slo.parse("p95=1s")


@pytest.fixture(scope="module")
def decided() -> Callable[..., Decided]:
    like = QueueServer(2, 20.0).open(1.0, seed=0)
    return lambda keeps: Decided(like, keeps)


@given(true_per_s=st.floats(0.05, 10), resolution=st.floats(0.02, 0.3))
def test_the_highest_rate_that_is_kept_is_found_to_the_resolution(
    decided: Callable[..., Decided], true_per_s: float, resolution: float
) -> None:
    server = decided(lambda rate, seed: rate <= true_per_s)
    found = Search(server, PROMISED, resolution=resolution).run(1.0)
    assert found <= true_per_s < found * (1 + resolution) * (1 + 1e-9)


def test_a_rate_that_is_a_fiftieth_of_the_guess_is_not_looked_for(decided: Callable[..., Decided]) -> None:
    server = decided(lambda rate, seed: rate < 0.005)
    with pytest.raises(NoCapacityError, match="not kept even at"):
        Search(server, PROMISED).run(1.0)
    assert 0.01 < min(rate for rate, _ in server.asked) < 0.02


@pytest.mark.parametrize(
    ("kept_seeds", "kept", "n_trials"),
    [({0, 1, 2}, True, 2), ({0, 2}, True, 3), ({1}, False, 3), (set(), False, 2)],
    ids=["all", "most", "one", "none"],
)
def test_the_majority_decides_and_no_more_is_tried_than_it_takes(
    decided: Callable[..., Decided], kept_seeds: set[int], kept: bool, n_trials: int
) -> None:
    server = decided(lambda rate, seed: seed in kept_seeds)
    verdict = Search(server, PROMISED).judge(5.0)
    assert (verdict.kept, len(verdict.trials)) == (kept, n_trials)
    assert server.asked == [(5.0, seed) for seed in range(n_trials)]


def test_of_two_trials_that_disagree_nothing_is_kept(decided: Callable[..., Decided]) -> None:
    assert not Search(decided(lambda rate, seed: seed == 0), PROMISED, repeats=2).judge(5.0).kept


def test_a_rate_that_is_not_kept_again_is_lowered_and_tried_with_new_arrivals(decided: Callable[..., Decided]) -> None:
    server = decided(lambda rate, seed: rate < 9.2)
    kept, broken = Search(server, PROMISED).confirm(10.0)
    assert (kept.rate_per_s, broken.rate_per_s) == pytest.approx((10 * 0.95**2, 1.3 * 10 * 0.95**2))
    assert not broken.kept
    seeds: dict[float, set[int]] = {}
    for rate, seed in server.asked[:-2]:
        seeds.setdefault(rate, set()).add(seed)
    assert sum(map(len, seeds.values())) == len(set().union(*seeds.values())), "no two rates see the same arrivals"


def test_a_machine_that_keeps_nothing_twice_has_no_capacity(decided: Callable[..., Decided]) -> None:
    server = decided(lambda rate, seed: False)
    with pytest.raises(NoCapacityError, match=r"no rate down to 8\.15 a second is kept twice"):
        Search(server, PROMISED).confirm(10.0)
    assert min(rate for rate, _ in server.asked) == pytest.approx(10 * 0.95**4)


def test_a_rate_at_which_nothing_comes_is_not_judged(decided: Callable[..., Decided]) -> None:
    server = decided(lambda rate, seed: True)
    server.like = dataclasses.replace(server.like, window=dataclasses.replace(server.like.window, requests=0))
    with pytest.raises(NoCapacityError, match="none came in 600 s"):
        Search(server, PROMISED).judge(0.001)
