"""Which engine is probed next, and whether it is well."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from alphacut_core.errors import UnavailableError
from alphacut_core.installed import Installed
from alphacut_server.health import Health

_PROBE_TIMEOUT_S = 10.0


class Rounds:
    """Goes from engine to engine, one a call, and stays at one that is not well."""

    def __init__(self, health: Health) -> None:
        """Prepare, with no engine yet.

        Args:
            health: Asks the server.
        """
        self._health = health
        self._engines: dict[str, Installed] = {}
        self._completed: dict[str, int] = {}
        self._next = 0

    def begin(self, engines: Iterable[Installed]) -> None:
        """Start anew with the engines of a server that has just been started."""
        self._engines = {engine.engine: engine for engine in engines}
        self._completed.clear()
        self._next = 0

    def include(self, engine: Installed) -> None:
        """Probe another engine from now on, or another version of one."""
        self._engines[engine.engine] = engine

    def check_all(self) -> None:
        """Probe every engine.

        Raises:
            UnavailableError: One does not answer.
            InferenceError: One gives another answer than the known one.
            ServerStartError: An answer is not known.
        """
        for engine in self._engines.values():
            self._health.check(engine, _PROBE_TIMEOUT_S)

    def check_next(self) -> None:
        """Probe one engine, or only the steps around it if it finished images since the last look.

        Then it is busy and not broken, and whoever is slow is excused. Those steps may be dead all the same: masks are
        made without the last one, and callers who send pixels do without the first.

        Raises:
            UnavailableError: It does not answer.
            InferenceError: It or a step around it gives another answer than the known one.
            ServerStartError: The answer is not known.
        """
        engine = list(self._engines.values())[self._next % len(self._engines)]
        completed = self._health.completed(engine, _PROBE_TIMEOUT_S)
        busy = completed > self._completed.get(engine.engine, 0)
        self._completed[engine.engine] = completed
        if busy:
            with contextlib.suppress(UnavailableError):
                self._health.check_around(engine, _PROBE_TIMEOUT_S)
        else:
            self._health.check(engine, _PROBE_TIMEOUT_S)
            self._completed[engine.engine] += 1  # the probe itself is no sign of being busy
        self._next += 1
