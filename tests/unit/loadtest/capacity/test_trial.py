from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from alphacut_loadtest.capacity.checks import checks
from alphacut_loadtest.measure.triton import Counters
from alphacut_loadtest.traffic import slo


def test_littles_law_and_the_servers_books_hold_for_a_queue(queue_server: Any) -> None:
    found = checks(queue_server(2, 20.0).open(30.0, seed=1))
    assert [check.name for check in found] == ["Little: under way", "requests that Triton counted"]
    assert all(check.holds for check in found), found


def test_requests_that_the_server_never_counted_are_noticed(queue_server: Any) -> None:
    found = checks(queue_server(2, 20.0, lost=2000).open(30.0, seed=1))
    assert [check.name for check in found if not check.holds] == ["requests that Triton counted"]


def test_requests_past_the_ensemble_are_counted_beside_the_supervisors_probes_of_it(queue_server: Any) -> None:
    trial = queue_server(2, 20.0).open(30.0, seed=1)
    probes = Counters(succeeded=trial.wall_s / 10)
    direct = dataclasses.replace(trial, counters={"remove_background": probes, "u2netp": Counters(trial.sent)})
    assert all(check.holds for check in checks(direct)), checks(direct)
    lost = dataclasses.replace(trial, counters={"remove_background": probes, "u2netp": Counters(trial.sent / 2)})
    assert [check.name for check in checks(lost) if not check.holds] == ["requests that Triton counted"]


def test_a_gauge_that_disagrees_with_the_latencies_is_noticed(queue_server: Any) -> None:
    trial = queue_server(2, 20.0).open(30.0, seed=1)
    found = checks(dataclasses.replace(trial, in_flight=2 * trial.in_flight))
    assert [check.name for check in found if not check.holds] == ["Little: under way"]


def test_a_rate_above_all_service_is_missed_although_the_bound_is_generous(queue_server: Any) -> None:
    trial = queue_server(1, 10.0).open(10.5, seed=0)
    assert trial.queue_growth() > 10
    assert trial.misses(slo.parse("p95=10min")) != []


def test_a_steady_queue_is_not_taken_for_a_growing_one(queue_server: Any) -> None:
    promise = slo.parse("p95=1s")
    assert [queue_server(1, 10.0).open(6.0, seed).misses(promise) for seed in range(5)] == [[]] * 5


def test_what_is_missed_is_said_in_words(queue_server: Any) -> None:
    (told,) = queue_server(1, 10.0).open(5.0, seed=0).misses(slo.parse("p50=1ms"))
    assert told.startswith("p50 is ")
    assert told.endswith("instead of 1ms")


@pytest.mark.parametrize("callers", [1, 4])
def test_callers_without_pauses_get_what_the_servers_can_do(queue_server: Any, callers: int) -> None:
    trial = queue_server(2, 20.0).closed(callers)
    assert trial.window.achieved_per_s == pytest.approx(min(callers, 2) * 20.0, rel=0.05)
    assert trial.in_flight == pytest.approx(callers, abs=0.05)
