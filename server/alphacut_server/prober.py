"""Probes on a thread of their own, so that the watch goes on while a server that hangs does not answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from alphacut_core.errors import InferenceError, ServerStartError, UnavailableError


class Prober:
    """Has one probe under way at most.

    Args:
        probe: Asks the server, and raises what is wrong with it.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._probe = probe
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alphacut-probe")
        self._asked: Future[str | None] | None = None

    @property
    def asking(self) -> bool:
        """Whether a probe has begun whose outcome nobody has taken yet."""
        return self._asked is not None

    def begin(self) -> None:
        """Ask; take the outcome before asking again."""
        self._asked = self._thread.submit(self._ask)

    def has_outcome(self) -> bool:
        """Return whether the probe has ended."""
        return self._asked is not None and self._asked.done()

    def outcome(self) -> str | None:
        """Wait for the probe's end and return what is wrong; None if nothing is."""
        asked, self._asked = self._asked, None
        return asked.result() if asked is not None else None

    def close(self) -> None:
        """Wait for a probe that is under way, soon where the server has ended; nobody takes its outcome."""
        self._thread.shutdown()

    def _ask(self) -> str | None:
        try:
            self._probe()
        except (UnavailableError, InferenceError, ServerStartError) as error:
            return str(error)
        return None
