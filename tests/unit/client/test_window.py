"""Many items at once, none taken too early, none left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from alphacut_client._limiter import FixedLimit
from alphacut_client._window import map_window


def never() -> None:
    raise AssertionError("nothing was to be given up")


def test_every_item_gets_its_own_outcome() -> None:
    outcomes = {
        index: future.result() for index, future in map_window(lambda n: n * n, range(50), FixedLimit(4), never)
    }
    assert outcomes == {number: number * number for number in range(50)}


def test_nothing_in_nothing_out() -> None:
    assert list(map_window(str, [], FixedLimit(4), never)) == []


def test_an_exception_is_the_outcome_of_its_item_alone() -> None:
    outcomes = dict(map_window(lambda n: 1 // n, [1, 0, 1], FixedLimit(2), never))
    assert isinstance(outcomes[1].exception(), ZeroDivisionError)
    assert [outcomes[0].result(), outcomes[2].result()] == [1, 1]


def test_as_many_run_at_once_as_there_are_places() -> None:
    together = threading.Barrier(4)  # passes only when four wait at the same time
    outcomes = dict(map_window(lambda _: together.wait(20), range(8), FixedLimit(4), never))
    assert all(future.exception() is None for future in outcomes.values())


def test_no_item_is_taken_before_there_is_a_place_for_it() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for finished, _ in enumerate(map_window(str, items(), FixedLimit(3), never), start=1):
        assert taken <= finished + 3


def test_an_endless_source_can_be_left_and_what_runs_is_given_up() -> None:
    given_up = threading.Event()

    def work(number: int) -> None:
        if number:
            assert given_up.wait(20)

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    with closing(map_window(work, endless(), FixedLimit(3), given_up.set)) as outcomes:
        assert next(outcomes)[0] == 0
    assert given_up.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("alphacut")]


def test_a_source_that_fails_gives_up_what_runs_and_its_error_comes_through() -> None:
    given_up = threading.Event()

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(map_window(lambda _: given_up.wait(20), broken(), FixedLimit(3), given_up.set))
    assert given_up.is_set()
