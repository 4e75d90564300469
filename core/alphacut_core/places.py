"""Places where images are worked on side by side, and the line of those that wait.

Triton has a queue of its own. But if that has priorities or limits, Triton's batcher does not hear when a model takes
requests again: the next request that comes in wakes it, or its own look twice a second (``WaitForPayloadSlotAvailable``
in Triton's ``dynamic_batch_scheduler.cc``, 24.04 to 26.06 at least). The last request that arrives during a call of
``execute`` would wait half a second beside an idle engine. So Triton's queues have neither: ``execute`` returns at
once, and lanes and limits count in the line here.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from alphacut_core.errors import OverloadedError

_Work = TypeVar("_Work")


@dataclass(frozen=True, slots=True)
class Piece(Generic[_Work]):
    """Work, and how it is to wait.

    Attributes:
        work: What is done.
        level: 1 goes first; within a level whoever came first.
        longest_s: What has waited so long is refused.
        n_bytes: Of shared memory that it holds while it waits.
        since: When it came, by the monotonic clock.
    """

    work: _Work
    level: int = 1
    longest_s: float = math.inf
    n_bytes: int = 0
    since: float = field(default_factory=time.monotonic)

    def is_late(self, now: float) -> bool:
        """Tell whether it has waited for too long."""
        return now - self.since > self.longest_s


@dataclass(frozen=True, slots=True)
class Turn:
    """What whoever works is told about the work.

    Attributes:
        waited_s: How long it waited here.
        alone: Nothing else was worked on or waited when it began.
    """

    waited_s: float
    alone: bool


class Places(Generic[_Work]):
    """Threads that work, and the line of what they have not begun.

    Args:
        do: Does work, raising nothing.
        refuse: Is told of work that is not done, and why.
        count: Is told for how many seconds work was done, and of its turn.
        n_places: How much is worked on at once; see ``grow``.
        max_bytes: How many bytes those may hold that wait.
        leaves_alone: Nothing begins beside work that began alone and so may use all processors: two that share them
            are later than one after the other.
    """

    def __init__(
        self,
        do: Callable[[_Work, Turn], None],
        refuse: Callable[[_Work, OverloadedError], None],
        count: Callable[[float, Turn], None],
        n_places: int,
        max_bytes: int,
        *,
        leaves_alone: bool = False,
    ) -> None:
        self._do = do
        self._refuse = refuse
        self._count = count
        self._max_bytes = max_bytes
        self._leaves_alone = leaves_alone
        self._left_alone = False
        self._line: list[Piece[_Work]] = []
        self._working = 0
        self._closed = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self.grow(n_places)

    def grow(self, n_places: int) -> None:
        """Have so many places from now on, if there are fewer."""
        while len(self._threads) < n_places:
            thread = threading.Thread(target=self._work, name=f"place_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def add(self, pieces: Iterable[Piece[_Work]]) -> None:
        """Let work join the line, all of it at once; refuse what there is no room for."""
        refused = []
        with self._changed:
            held = sum(one.n_bytes for one in self._line)
            for piece in pieces:
                if self._line and held + piece.n_bytes > self._max_bytes:
                    refused.append((piece, len(self._line)))
                else:
                    self._line.append(piece)
                    held += piece.n_bytes
            self._line.sort(key=lambda one: one.level)  # stable: in order of arrival within a level
            self._changed.notify_all()
        for piece, waiting in refused:
            self._refuse(piece.work, _full(waiting, self._max_bytes))

    def close(self) -> None:
        """Let everything end that was added."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._take():
            pass

    def _take(self) -> bool:
        """Wait for work, and do it or refuse it; say whether more may come."""
        with self._changed:
            self._changed.wait_for(lambda: not self._left_alone if self._line else self._closed)
            if not self._line:
                return False
            now = time.monotonic()
            late = [one for one in self._line if one.is_late(now)]
            if late:
                self._line = [one for one in self._line if not one.is_late(now)]
            piece = self._line.pop(0) if self._line else None
            self._working += piece is not None
            alone = self._working == 1 and not self._line
            self._left_alone = piece is not None and alone and self._leaves_alone
        for one in late:
            self._refuse(one.work, _late(now - one.since))
        if piece is not None:
            try:
                turn = Turn(now - piece.since, alone)
                began = time.monotonic()
                self._do(piece.work, turn)
                self._count(time.monotonic() - began, turn)
            finally:
                with self._changed:
                    self._working -= 1
                    self._left_alone = False
                    self._changed.notify_all()
        return True


def _late(waited_s: float) -> OverloadedError:
    return OverloadedError(
        f"waited {waited_s:.2f} s before a step of the server, which its deadline leaves no time for; the server gets "
        "more than it can do, try again later"
    )


def _full(waiting: int, max_bytes: int) -> OverloadedError:
    return OverloadedError(
        f"{waiting} wait before a step of the server already, in {max_bytes:,} bytes of shared memory at most; try "
        "again later, or give the server more (--shm-size of a container)"
    )
