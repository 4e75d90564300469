"""Work on many items side by side, taking no more of them than there are places."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_window(
    function: Callable[[_Item], _Result], items: Iterable[_Item], window: int, give_up: Callable[[], None]
) -> Generator[tuple[int, Future[_Result]], None, None]:
    """Call ``function`` for every item in up to ``window`` threads; yield index and outcome as each is done.

    The next item is taken from ``items`` only when a place is free, so endless iterables keep memory flat.

    Args:
        function: Runs in other threads.
        items: Iterated in the calling thread.
        window: Places, at least 1.
        give_up: Called when this ends early (the consumer stops, ``items`` raises, Ctrl-C), so that running
            calls end soon: they are waited for.
    """
    with ThreadPoolExecutor(window, thread_name_prefix="alphacut") as executor:
        running: dict[Future[_Result], int] = {}
        try:
            for index, item in enumerate(items):
                running[executor.submit(function, item)] = index
                if len(running) >= window:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        except BaseException:
            give_up()
            raise


def _finished(running: dict[Future[_Result], int]) -> Iterator[tuple[int, Future[_Result]]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=running.__getitem__):
        yield running.pop(future), future


def map_in_order(
    function: Callable[[_Item], _Result], items: Iterable[_Item], window: int, give_up: Callable[[], None]
) -> Generator[Future[_Result], None, None]:
    """Call ``function`` as ``map_window`` does, but yield the outcomes in the order of ``items``.

    At most ``window`` items are taken and not yet yielded, so one slow item holds up the rest instead of piling
    them up in memory.
    """
    with ThreadPoolExecutor(window, thread_name_prefix="alphacut") as executor:
        running: deque[Future[_Result]] = deque()
        try:
            for item in items:
                running.append(executor.submit(function, item))
                if len(running) >= window:
                    yield _settled(running.popleft())
            while running:
                yield _settled(running.popleft())
        except BaseException:
            give_up()
            raise


def _settled(future: Future[_Result]) -> Future[_Result]:
    wait([future])
    return future
