"""What size costs, from pictures that differ in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_loadtest.bench import size_cost
from alphacut_loadtest.bench.pictures import Picture
from alphacut_loadtest.bench.summary import Measurement


def picture(name: str, width: int, height: int) -> Picture:
    return Picture(Path(name), width, height)


PICTURES = [
    picture("dahlia-960x640.jpg", 960, 640),
    picture("rocket-960x640.jpg", 960, 640),
    picture("cat-640x427.png", 640, 427),
    picture("dahlia-1920x1280.jpg", 1920, 1280),
    picture("dahlia-1920x1280.png", 1920, 1280),
    picture("rocket-1920x1280.jpg", 1920, 1280),
]


def turn(number: int, latencies_s: list[float], concurrency: int = 1) -> Measurement:
    return Measurement(
        round=number,
        contender="mask-fast",
        concurrency=concurrency,
        wall_s=1.0,
        latencies_s=tuple(enumerate(latencies_s)),
        cpu_s=1.0,
        cpu_by_process_s={},
        peak_rss_bytes={},
        stages_s={},
    )


def test_pairs_are_of_one_subject_and_format_and_of_four_times_the_pixels() -> None:
    assert size_cost.pairs(PICTURES) == [(0, 3), (1, 5)]


def test_files_whose_names_say_nothing_make_no_pair() -> None:
    assert size_cost.pairs([picture("a.jpg", 100, 100), picture("b.jpg", 200, 200)]) == []


def test_the_cost_is_that_of_all_pairs_together_round_by_round() -> None:
    rounds = [turn(0, [1, 1, 9, 2, 9, 1]), turn(1, [1, 1, 9, 3, 9, 1]), turn(2, [1, 3, 9, 3, 9, 5])]
    found = size_cost.cost(rounds, PICTURES, "mask-fast")
    assert found is not None
    assert (found.low, found.median, found.high) == (1.5, 2.0, pytest.approx(2.0))


def test_without_a_single_caller_there_is_no_cost() -> None:
    assert size_cost.cost([turn(0, [1, 1, 9, 2, 9, 1], concurrency=4)], PICTURES, "mask-fast") is None
    assert size_cost.cost([], PICTURES, "mask-fast") is None
