"""The search for how many images to keep under way: hill climbing on throughput."""

from __future__ import annotations

from collections.abc import Generator

LOWEST = 4
MOST = 64

_WORTHWHILE = 1.10
"""What twice as many must bring, as a factor of throughput."""
_PLAIN = 1.25
"""What a glance at few images must show of it."""
_AS_GOOD = 0.95
"""What half as many must keep of it."""
_SURE = 32
"""Images that a second look takes at least: photographs differ, and few of them say little."""
_PATIENCE = 8


def search(first: int) -> Generator[tuple[int, int], float, None]:
    """Look for the smallest number under way that gives about the throughput of any larger one.

    A server that batches answers later and more at once the more it is given, so latency says little about it and
    throughput decides. The number doubles as long as that brings 10 %, at first after a glance at as many images
    as it lets under way, so that short batches get somewhere. Where a glance sees less than 25 %, a longer look
    decides: to stop too early costs a large server more than to go too far costs a small one. What was found stays
    for eight measurements; then half of it is tried, at least 4, and taken if it keeps 95 %, and twice as many
    again, for servers grow and shrink, and a glance can be wrong.

    Yields:
        How many images to keep under way, and over how many to measure then.

    Receives:
        Images a second, measured so.
    """
    now = first
    rate = yield now, now
    glance = True
    while True:
        while now < MOST:
            more = min(MOST, 2 * now)
            more_rate = (yield more, more) if glance else 0.0
            if more_rate <= rate * _PLAIN:
                more_rate = yield more, _look(more)
                if more_rate <= rate * _WORTHWHILE:
                    break
            now, rate = more, more_rate
        glance = False
        for _ in range(_PATIENCE):
            rate = yield now, _look(now)
        while now > LOWEST:
            fewer = max(LOWEST, now // 2)
            fewer_rate = yield fewer, max(_SURE, now)
            if fewer_rate < rate * _AS_GOOD:
                break
            now, rate = fewer, max(rate, fewer_rate)


def _look(under_way: int) -> int:
    return max(_SURE, 2 * under_way)
