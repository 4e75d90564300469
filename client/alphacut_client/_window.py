"""Work on many items side by side, taking no more of them than there are places."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from alphacut_client._limiter import Limiter

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_window(
    function: Callable[[_Item], _Result], items: Iterable[_Item], limiter: Limiter, give_up: Callable[[], None]
) -> Generator[tuple[int, Future[_Result]], None, None]:
    """Call ``function`` for every item in as many threads as ``limiter`` allows; yield index and outcome of each.

    The next item is taken from ``items`` only when a place is free, so endless iterables keep memory flat.

    Args:
        function: Runs in other threads.
        items: Iterated in the calling thread.
        limiter: Says how many places there are.
        give_up: Called when this ends early (the consumer stops, ``items`` raises, Ctrl-C), so that running
            calls end soon: they are waited for.
    """
    with ThreadPoolExecutor(limiter.most, thread_name_prefix="alphacut") as executor:
        running: dict[Future[_Result], int] = {}
        try:
            for index, item in enumerate(items):
                running[_submit(executor, function, item, limiter)] = index
                while len(running) >= limiter.limit():
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
    function: Callable[[_Item], _Result], items: Iterable[_Item], limiter: Limiter, give_up: Callable[[], None]
) -> Generator[Future[_Result], None, None]:
    """Call ``function`` as ``map_window`` does, but yield the outcomes in the order of ``items``.

    At most as many items as ``limiter`` allows are taken and not yet yielded, so one slow item holds up the rest
    instead of piling them up in memory.
    """
    with ThreadPoolExecutor(limiter.most, thread_name_prefix="alphacut") as executor:
        running: deque[Future[_Result]] = deque()
        try:
            for item in items:
                running.append(_submit(executor, function, item, limiter))
                while len(running) >= limiter.limit():
                    yield _settled(running.popleft())
            while running:
                yield _settled(running.popleft())
        except BaseException:
            give_up()
            raise


def _submit(
    executor: ThreadPoolExecutor, function: Callable[[_Item], _Result], item: _Item, limiter: Limiter
) -> Future[_Result]:
    context = contextvars.copy_context()  # the caller's trace goes on in the other thread

    def run() -> _Result:
        try:
            return context.run(function, item)
        finally:
            limiter.finished()

    return executor.submit(run)


def _settled(future: Future[_Result]) -> Future[_Result]:
    wait([future])
    return future
