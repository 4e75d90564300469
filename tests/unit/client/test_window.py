"""Which item begins when, without threads or event loops; then in threads, where nothing is left running."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest

from alphacut_client._limiter import FixedLimit
from alphacut_client._threads import side_by_side
from alphacut_client._window import Due, Window


class Told(FixedLimit):
    """A limit that remembers what it was told."""

    def __init__(self, window: int) -> None:
        super().__init__(window)
        self.batches = self.images = 0

    def started(self) -> None:
        self.batches += 1

    def finished(self) -> None:
        self.images += 1


def begin_all(window: Window[str]) -> list[int]:
    """Begin as many as may."""
    begun = []
    while window.due() is Due.ITEM:
        begun.append(window.begin())
    return begun


def test_the_end_of_any_item_makes_room_for_another_even_in_order() -> None:
    window: Window[str] = Window(FixedLimit(3), ordered=True)
    assert begin_all(window) == [0, 1, 2]
    for ends, begins in ((2, 3), (1, 4), (4, 5)):  # the first is slow, and holds up nobody
        assert window.due() is Due.END
        window.end(ends, "")
        assert begin_all(window) == [begins]


def test_in_order_no_more_than_twice_the_limit_is_begun_and_not_handed_out() -> None:
    window: Window[str] = Window(FixedLimit(3), ordered=True)
    begun = begin_all(window)
    while len(begun) > 1:
        window.end(begun.pop(), "")
        begun += begin_all(window)
    assert window.due() is Due.END  # for the first, which still holds up all others
    window.end(0, "")
    handed_out = []
    while window.due() is Due.OUTCOME:
        handed_out.append(window.hand_out()[0])
    assert handed_out == list(range(6))


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("items", [0, 1, 7, 100])
def test_whatever_ends_when_every_item_is_handed_out_once_with_its_own_outcome(items: int, ordered: bool) -> None:
    rng = random.Random(items)
    limit = Told(4)
    window: Window[int] = Window(limit, ordered=ordered)
    under_way: list[int] = []
    handed_out = []
    while (due := window.due()) is not Due.NOTHING:
        if due is Due.OUTCOME:
            handed_out.append(window.hand_out())
        elif due is Due.END:
            index = under_way.pop(rng.randrange(len(under_way)))
            window.end(index, index * index)
        elif len(under_way) + len(handed_out) == items or (ordered and max([*under_way, -1]) + 1 == items):
            window.exhaust()
        else:
            under_way.append(window.begin())
        assert len(under_way) <= 4
    found = handed_out if ordered else sorted(handed_out)
    assert found == [(index, index * index) for index in range(items)]


def test_the_limiter_hears_of_every_batch_and_of_images_while_others_wait_for_their_place() -> None:
    limit = Told(2)
    window: Window[str] = Window(limit, ordered=False)
    begin_all(window)
    window.end(0, "")
    assert (limit.batches, limit.images) == (1, 1)
    window.exhaust()
    window.end(1, "")  # ran beside ever fewer, which says nothing of the server
    assert limit.images == 1


def never() -> None:
    raise AssertionError("nothing was to be given up")


def run(
    function: Callable[[int], object], items: Iterable[int], places: int, give_up: Callable[[], object] = never
) -> Generator[tuple[int, Future[Any]], None, None]:
    return side_by_side(function, items, FixedLimit(places), give_up, ordered=False)


def test_every_item_gets_its_own_outcome() -> None:
    outcomes = {index: future.result() for index, future in run(lambda n: n * n, range(50), 4)}
    assert outcomes == {number: number * number for number in range(50)}


def test_nothing_in_nothing_out() -> None:
    assert list(run(str, [], 4)) == []


def test_an_exception_is_the_outcome_of_its_item_alone() -> None:
    outcomes = dict(run(lambda n: 1 // n, [1, 0, 1], 2))
    assert isinstance(outcomes[1].exception(), ZeroDivisionError)
    assert [outcomes[0].result(), outcomes[2].result()] == [1, 1]


def test_as_many_run_at_once_as_there_are_places() -> None:
    together = threading.Barrier(4)  # passes only when four wait at the same time
    outcomes = dict(run(lambda _: together.wait(20), range(8), 4))
    assert all(future.exception() is None for future in outcomes.values())


def test_no_item_is_taken_before_there_is_a_place_for_it() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    for finished, _ in enumerate(run(str, items(), 3), start=1):
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

    with closing(run(work, endless(), 3, given_up.set)) as outcomes:
        assert next(outcomes)[0] == 0
    assert given_up.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("alphacut")]


def test_a_source_that_fails_gives_up_what_runs_and_its_error_comes_through() -> None:
    given_up = threading.Event()

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(run(lambda _: given_up.wait(20), broken(), 3, given_up.set))
    assert given_up.is_set()
