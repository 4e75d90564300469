from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alphacut_training.clock import Clock
from alphacut_training.course import Course
from alphacut_training.settings import Settings

SETTINGS = Settings(data=Path("mine"), output=Path("run"), size=320, first_size=160)


def test_the_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    course = Course(SETTINGS)
    assert course.rate(0.025) == pytest.approx(0.5)
    assert course.rate(0.05) == pytest.approx(1)
    assert course.rate(0.525) == pytest.approx(0.5)
    assert course.rate(1) == pytest.approx(0)
    assert course.rate(1.5) == pytest.approx(0)


def test_the_first_size_is_kept_and_then_grows_by_whole_strides() -> None:
    course = Course(SETTINGS)
    assert [course.size(progress, 0) for progress in (0.0, 0.4, 0.55, 0.7, 1.0)] == [160, 160, 256, 320, 320]
    assert {course.size(progress / 100, 0) for progress in range(100)} == {160, 192, 224, 256, 288, 320}


def test_a_share_of_the_late_steps_is_taken_at_the_tiers_sizes() -> None:
    course = Course(replace(SETTINGS, tiers=0.5))
    early, late = ([course.size(progress, step) for step in range(1000)] for progress in (0.2, 0.9))
    assert set(early) == {160}
    assert set(late) == {320, 256, 160}
    assert 450 < late.count(320) < 550
    assert 200 < late.count(160) < 300


def test_a_resumed_run_draws_the_same_sizes_and_another_seed_others() -> None:
    first, again, other = (
        [Course(replace(SETTINGS, tiers=0.5, seed=seed)).size(0.9, step) for step in range(50)] for seed in (3, 3, 4)
    )
    assert first == again != other


def test_a_clock_goes_on_with_what_was_spent_before() -> None:
    clock = Clock(minutes=1)
    assert clock.progress == 0
    clock.load_state_dict({"time_elapsed": {"train": 30.0}})
    assert clock.progress == pytest.approx(0.5)
    clock.load_state_dict({"time_elapsed": {"train": 300.0}})
    assert clock.progress == 1


def test_a_clock_without_a_limit_never_moves() -> None:
    clock = Clock(minutes=None)
    clock.load_state_dict({"time_elapsed": {"train": 30.0}})
    assert clock.progress == 0
