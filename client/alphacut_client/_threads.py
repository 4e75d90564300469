"""Work on many items side by side in threads, taking no more of them than there are places."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from alphacut_client._crew import Crew
from alphacut_client._limiter import Limiter
from alphacut_client._window import Due, Window

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def side_by_side(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    limiter: Limiter,
    give_up: Callable[[], None],
    *,
    ordered: bool,
) -> Generator[tuple[int, Future[_Result]], None, None]:
    """Call ``function`` for every item in as many threads as ``limiter`` allows; yield index and outcome of each.

    Args:
        function: Runs in other threads.
        items: Iterated in the calling thread.
        limiter: Says how many places there are.
        give_up: Called when this ends early (the consumer stops, ``items`` raises, Ctrl-C, the interpreter ends), so
            that running calls end soon: they are waited for.
        ordered: Yield in the order of ``items`` instead of as they end.
    """
    window: Window[Future[_Result]] = Window(limiter, ordered=ordered)
    source = iter(items)
    crew: Crew[_Result] = Crew(give_up)
    with crew:
        try:
            while (due := window.due()) is not Due.NOTHING:
                if due is Due.OUTCOME:
                    yield window.hand_out()
                elif due is Due.END:
                    window.end(*crew.next_ended())
                else:
                    try:
                        item = next(source)
                    except StopIteration:
                        window.exhaust()
                        continue
                    index = window.begin()
                    context = contextvars.copy_context()  # the caller's trace goes on in the other thread
                    crew.begin(index, partial(context.run, function, item), busy=window.under_way)
        except BaseException:
            give_up()
            raise
