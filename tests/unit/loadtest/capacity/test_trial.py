from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from alphacut_loadtest.capacity.checks import checks
from alphacut_loadtest.capacity.trial import Trial
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


def quick(seen: Trial, in_flight: float = 1.0, **changes: Any) -> Trial:
    """Return a trial of ten requests a second for 100 s, all of them answered quickly but for what is changed."""
    facts = {"duration_s": 100.0, "requests": 1000, "offered_per_s": 10.0, "achieved_per_s": 10.0, **changes}
    window = dataclasses.replace(seen.window, latency_s={"p95": 0.1}, **facts)
    return dataclasses.replace(seen, window=window, in_flight=in_flight, pending=())


@pytest.mark.parametrize(
    ("changes", "kept_up"),
    [
        ({"achieved_per_s": 9.79}, True),
        ({"achieved_per_s": 9.77}, False),
        ({"achieved_per_s": 9.77, "in_flight": 20.0}, True),
        ({"achieved_per_s": 9.77, "good": 0.95}, True),
        ({"achieved_per_s": 9.27, "good": 0.95}, False),
    ],
    ids=["chance", "too few", "many under way at the end", "the rest has failed", "too few besides"],
)
def test_a_rate_at_which_fewer_end_than_come_is_missed(
    queue_server: Any, changes: dict[str, float], kept_up: bool
) -> None:
    trial = quick(queue_server(2, 20.0).open(1.0, seed=0), **changes)
    assert (trial.misses(slo.parse("p95=1s,errors=10%")) == []) is kept_up


def test_closed_callers_wait_for_each_other_and_are_never_behind(queue_server: Any) -> None:
    trial = dataclasses.replace(quick(queue_server(2, 20.0).open(1.0, seed=0), achieved_per_s=5.0), kind="closed")
    assert trial.misses(slo.parse("p95=1s")) == []


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"good": 0.9, "failed": 0.1, "unsent": 100, "achieved_per_s": 9.9}, False),
        ({"good": 0.8, "failed": 0.2, "unsent": 100, "achieved_per_s": 9.9}, True),
        ({"lag_p95_s": 0.06}, False),
        ({"lag_p95_s": 0.04}, True),
        ({"refused": 0.01, "refused_latency_s": {"p95": 0.1}, "lag_p95_s": 0.06}, False),
        ({"refused": 0.01, "refused_latency_s": {"p95": 0.2}, "lag_p95_s": 0.06}, True),
    ],
    ids=["not sent", "failed besides", "sent late", "late besides", "refused late", "refused late besides"],
)
def test_a_server_is_not_blamed_for_what_its_client_could_not_send_in_time(
    queue_server: Any, changes: dict[str, Any], blamed: bool
) -> None:
    trial = quick(queue_server(2, 20.0).open(1.0, seed=0), **changes)
    promise = slo.parse("p95=50ms,errors=1%,refusals=5%,refused_p95=50ms")
    if "unsent" in changes:
        promise = dataclasses.replace(promise, latency_s=((95.0, 1.0),))
    assert trial.misses(promise)
    assert trial.blames_server(promise) is blamed
