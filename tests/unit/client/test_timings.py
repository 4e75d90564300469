"""Stage times are complete, ordered, and free of charge for those who do not listen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from alphacut_client.timings import StageTime, StageTimes, timed


def test_times_add_up_by_stage_in_the_order_of_the_work() -> None:
    times = StageTimes()
    for stage, duration_s in (("encode", 1.0), ("header", 0.5), ("encode", 2.0)):
        times(stage, duration_s)
    assert list(times.by_stage().items()) == [("header", StageTime(1, 0.5)), ("encode", StageTime(2, 3.0))]
    assert times.by_stage()["encode"].mean_s == 1.5


def test_no_observation_is_lost_between_threads() -> None:
    times = StageTimes()
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda _: times("wait", 1.0), range(2000)))
    assert times.by_stage()["wait"] == StageTime(2000, 2000.0)


def test_a_block_reports_its_stage_and_its_time() -> None:
    seen: list[tuple[str, float]] = []
    with timed(lambda stage, duration_s: seen.append((stage, duration_s)), "decode"):
        pass
    assert [stage for stage, _ in seen] == ["decode"]
    assert seen[0][1] >= 0


def test_a_block_that_fails_reports_nothing() -> None:
    times = StageTimes()
    with pytest.raises(KeyError), timed(times, "decode"):
        raise KeyError
    assert times.by_stage() == {}


def test_without_an_observer_nothing_happens() -> None:
    with timed(None, "decode"):
        pass
