"""Wait in the main thread for whichever comes first: a signal, a child's end, the owner's end, or time."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Wakeup:
    """Turns SIGINT, SIGTERM and the owner's end into one question: is it time to stop?"""

    def __init__(self, until_stdin_closes: bool) -> None:
        """Install the signal handlers.

        Args:
            until_stdin_closes: Whether the end of standard input means that the owner is gone.
        """
        self.stopping = False
        self._watches_stdin = until_stdin_closes
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, _nothing)

    def wait(self, timeout_s: float) -> bool:
        """Wait at most ``timeout_s``, less when a signal arrives; return whether to stop."""
        if not self.stopping:
            watched = [self._reader, *([sys.stdin.fileno()] if self._watches_stdin else [])]
            ready, _, _ = select.select(watched, [], [], timeout_s)
            if self._reader in ready:
                os.read(self._reader, 4096)
            if self._watches_stdin and sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 4096):
                self.stopping = True
        return self.stopping

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise ``SystemExit``, as Ctrl-C raises ``KeyboardInterrupt``.

    Whoever waits for a lock or for another program is interrupted by nothing less, and ends that program with it.
    """
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Exist, so that SIGCHLD reaches the wake-up descriptor."""
