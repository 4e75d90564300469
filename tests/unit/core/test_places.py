"""The line before the places where images are worked on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from alphacut_core.errors import OverloadedError
from alphacut_core.places import Piece, Places, Turn
from tests.waiting import wait_until


class Work:
    """Work that ends when it may, and remembers in which order it began."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.done: list[object] = []
        self.turns: dict[object, Turn] = {}
        self.refused: list[object] = []
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def do(self, piece: object, turn: Turn) -> None:
        with self._lock:
            self.done.append(piece)
            self.turns[piece] = turn
        self.began.release()
        assert self.go.wait(30)

    def refuse(self, piece: object, error: OverloadedError) -> None:
        self.refused.append(piece)
        self.errors.append(str(error))

    def count(self, work_s: float, turn: Turn) -> None:
        assert work_s >= 0

    def wait_begun(self) -> None:
        assert self.began.acquire(timeout=30)


@contextmanager
def at_work(n_places: int, max_bytes: int = 100, **how: bool) -> Iterator[tuple[Places[object], Work]]:
    work = Work()
    places: Places[object] = Places(work.do, work.refuse, work.count, n_places, max_bytes, **how)
    try:
        yield places, work
    finally:
        work.go.set()
        places.close()


@given(levels=st.lists(st.integers(1, 4), max_size=12))
def test_the_lowest_level_goes_first_and_within_one_who_came_first(levels: list[int]) -> None:
    with at_work(1) as (places, work):
        places.add([Piece("before")])
        work.wait_begun()
        for number, level in enumerate(levels):
            places.add([Piece((level, number), level)])
    assert work.done == ["before", *sorted((level, number) for number, level in enumerate(levels))]


def test_who_waits_for_longer_than_it_may_is_given_up_wherever_it_stands() -> None:
    with at_work(1) as (places, work):
        places.add([Piece("before")])
        work.wait_begun()
        places.add([Piece("patient", 1), Piece("late", 1, 0.0), Piece("late and last", 3, 0.0), Piece("bulk", 2)])
    assert work.refused == ["late", "late and last"]
    assert work.done == ["before", "patient", "bulk"]


def test_work_goes_on_after_all_that_waited_were_too_late() -> None:
    with at_work(1) as (places, work):
        places.add([Piece("before")])
        work.wait_begun()
        places.add([Piece("late", 1, 0.0), Piece("late too", 1, 0.0)])
        work.go.set()
        wait_until("the end of the line", lambda: len(work.refused) == 2)
        places.add([Piece("after")])
        work.wait_begun()
    assert work.done == ["before", "after"]


def test_nobody_is_given_up_while_there_is_time() -> None:
    with at_work(1) as (places, work):
        places.add([Piece(number, 1, 3600) for number in range(5)])
    assert not work.refused
    assert work.done == list(range(5))


def test_only_what_nothing_runs_or_waits_beside_is_alone() -> None:
    with at_work(2) as (places, work):
        places.add([Piece("first")])
        work.wait_begun()
        places.add([Piece("beside it")])
        work.wait_begun()
    assert work.turns["first"].alone
    assert not work.turns["beside it"].alone


def test_what_began_alone_is_left_alone_where_that_is_wanted_and_then_several_run_side_by_side() -> None:
    with at_work(3, leaves_alone=True) as (places, work):
        places.add([Piece("first")])
        work.wait_begun()
        places.add([Piece("second"), Piece("third")])
        assert not work.began.acquire(timeout=0.05)
        work.go.set()
        work.wait_begun()
        work.wait_begun()
    assert work.turns["first"].alone
    assert not work.turns["second"].alone


def test_who_is_left_over_from_several_is_not_left_alone() -> None:
    with at_work(2, leaves_alone=True) as (places, work):
        places.add([Piece("first"), Piece("second")])
        work.wait_begun()
        work.wait_begun()
        assert not any(turn.alone for turn in work.turns.values())


def test_what_comes_together_is_not_alone() -> None:
    with at_work(1) as (places, work):
        places.add([Piece("one"), Piece("two")])
        work.wait_begun()
        assert not work.turns["one"].alone


def test_places_are_added_while_others_are_taken() -> None:
    with at_work(1) as (places, work):
        places.add([Piece("one"), Piece("two")])
        work.wait_begun()
        assert not work.began.acquire(timeout=0.05)
        places.grow(2)
        work.wait_begun()
        places.grow(1)  # never fewer


def test_what_there_is_no_room_for_is_refused_and_the_line_stays_as_it_is() -> None:
    with at_work(1, max_bytes=10) as (places, work):
        places.add([Piece("before", n_bytes=99)])
        work.wait_begun()
        places.add([Piece("one", n_bytes=6), Piece("two", n_bytes=5), Piece("three", n_bytes=4)])
        assert work.refused == ["two"]
    assert work.done == ["before", "one", "three"]
    assert "1 wait before a step of the server already, in 10 bytes" in work.errors[0]


def test_one_may_wait_however_large_it_is() -> None:
    with at_work(1, max_bytes=10) as (places, work):
        places.add([Piece("before")])
        work.wait_begun()
        places.add([Piece("large", n_bytes=1000)])
    assert work.done == ["before", "large"]


def test_what_is_worked_on_takes_no_room_from_those_who_wait() -> None:
    with at_work(1, max_bytes=10) as (places, work):
        places.add([Piece("before", n_bytes=10)])
        work.wait_begun()
        places.add([Piece("one", n_bytes=5), Piece("two", n_bytes=5)])
    assert work.done == ["before", "one", "two"]
    assert not work.refused


def test_closing_ends_what_was_added_and_the_threads() -> None:
    before = threading.active_count()
    with at_work(3) as (places, work):
        places.add([Piece(number) for number in range(20)])
    assert len(work.done) == 20
    assert set(work.done) == set(range(20))
    assert threading.active_count() == before


def test_how_long_something_waited_is_told() -> None:
    with at_work(1) as (places, work):
        places.add([Piece("first")])
        work.wait_begun()
        places.add([Piece("second")])
        assert not work.began.acquire(timeout=0.05)
    assert work.turns["first"].waited_s < work.turns["second"].waited_s
    assert work.turns["second"].waited_s >= 0.05
