"""Everybody gets the same turns, and nobody always the same place."""

from __future__ import annotations

from collections import Counter

import pytest

from alphacut_loadtest.bench import schedule
from alphacut_loadtest.bench.contenders import CONTENDERS

THREE = CONTENDERS[:3]


def test_everybody_has_every_turn_once_a_round() -> None:
    turns = list(schedule.turns(THREE, (1, 4), 5))
    counted = Counter((turn.round, turn.contender.name, turn.concurrency) for turn in turns)
    assert set(counted.values()) == {1}
    assert len(counted) == 5 * 3 * 2


def test_rounds_follow_each_other_and_rivals_stand_together() -> None:
    turns = list(schedule.turns(THREE, (1, 4), 2))
    assert [(turn.round, turn.concurrency) for turn in turns] == [
        place for place in ((0, 1), (0, 4), (1, 1), (1, 4)) for _ in THREE
    ]


def test_everybody_is_first_equally_often() -> None:
    turns = list(schedule.turns(THREE, (1, 4, 16), 2))
    assert Counter(turn.contender.name for turn in turns[:: len(THREE)]) == {one.name: 2 for one in THREE}


@pytest.mark.parametrize(
    ("pictures", "concurrency", "images_per_caller", "passes"),
    [(8, 1, 2, 1), (8, 16, 2, 4), (3, 4, 1, 2), (1, 1, 1, 1)],
)
def test_passes_are_whole_and_keep_every_caller_busy(
    pictures: int, concurrency: int, images_per_caller: int, passes: int
) -> None:
    assert schedule.passes(pictures, concurrency, images_per_caller) == passes
