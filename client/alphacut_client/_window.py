"""Many items side by side: which may begin, what is waited for, what is handed out. No threads, no event loop."""

from __future__ import annotations

from enum import Enum, auto
from typing import Generic, TypeVar

from alphacut_client._limiter import Limiter

_Outcome = TypeVar("_Outcome")

_AHEAD = 2
"""In order, so many times as many as may be under way are begun and not handed out: one that is slow holds up
nobody for a while, and memory stays bounded."""


class Due(Enum):
    """What whoever does the work has to do next."""

    ITEM = auto()
    """Take an item and ``begin`` it, or ``exhaust`` where there are no more."""
    END = auto()
    """Wait until any item ends."""
    OUTCOME = auto()
    """Hand out an outcome."""
    NOTHING = auto()
    """All is done."""


class Window(Generic[_Outcome]):
    """Keeps as many items under way as a limiter allows.

    Items are taken only when one may begin, so endless sources keep memory flat, and after the outcomes that were
    noted are handed out.

    Args:
        limiter: How many, which it learns from here.
        ordered: Hand out in the order of the items, not of their ends.
    """

    def __init__(self, limiter: Limiter, *, ordered: bool) -> None:
        self._limiter = limiter
        self._ordered = ordered
        self._begun = 0
        self._handed_out = 0
        self._under_way = 0
        self._ended: dict[int, _Outcome] = {}
        self._exhausted = False
        limiter.started()

    def due(self) -> Due:
        """Return what comes next."""
        if self._next() in self._ended:
            return Due.OUTCOME
        limit = self._limiter.limit()
        if not self._exhausted and self._under_way < limit and self._begun - self._handed_out < _AHEAD * limit:
            return Due.ITEM
        return Due.END if self._under_way else Due.NOTHING

    @property
    def under_way(self) -> int:
        """How many items have begun, and not ended."""
        return self._under_way

    def begin(self) -> int:
        """Count an item that begins, and return its index."""
        self._begun += 1
        self._under_way += 1
        return self._begun - 1

    def exhaust(self) -> None:
        """Note that there are no more items."""
        self._exhausted = True

    def end(self, index: int, outcome: _Outcome) -> None:
        """Note what became of an item."""
        self._under_way -= 1
        self._ended[index] = outcome
        if not self._exhausted:  # the last ones run beside ever fewer, which is not the limit's doing
            self._limiter.finished()

    def hand_out(self) -> tuple[int, _Outcome]:
        """Return index and outcome of the item that is next."""
        index = self._next()
        self._handed_out += 1
        return index, self._ended.pop(index)

    def _next(self) -> int:
        return self._handed_out if self._ordered else next(iter(self._ended), -1)
