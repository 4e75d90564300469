"""Bring what was installed meanwhile into the running server, without dropping a request."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from alphacut_core import atomic, installed
from alphacut_core.errors import AlphacutError, InferenceError, UnavailableError
from alphacut_core.installed import Installed
from alphacut_server.health import Health
from alphacut_server.served import Wish

_LOAD_TIMEOUT_S = 300.0
_PROBE_TIMEOUT_S = 60.0


class Switch:
    """Watches the repository and loads what changed, on a thread of its own.

    Triton keeps answering with the version that it has while it loads another one, warms it up, and then lets
    requests go to the new one. A version that does not load, or does not give the known answer, is taken back in
    the repository too, so that the server would start again with the one that works, or without the engine. A version
    of another size waits until the server is started anew: requests under way are for the old size.
    """

    def __init__(
        self,
        url: str,
        repository: Path,
        wish: Wish,
        *,
        include: Callable[[Installed], None],
        report: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            url: Triton's gRPC address.
            repository: What is watched.
            wish: Which engines are meant.
            include: Called with each engine that has begun to serve, before the next ``busy`` is false.
            report: Called with one line for each event.
        """
        self._repository = repository
        self._wish = wish
        self._include = include
        self._report = report
        self._url = url
        self._serving: dict[str, Installed] = {}
        self._refused: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def begin(self, found: Sequence[Installed]) -> Sequence[Installed]:
        """Start anew with a server that is about to be started, and return what that is to serve.

        Those are the engines found in the repository but for refused ones, with which it would not start: where the
        repository cannot be written they are still selected. If none is left, all are returned: their fault is told.
        """
        if self._thread is not None:
            self._thread.join()  # soon: it speaks to a server that is gone
        engines = [engine for engine in found if self._refused.get(engine.engine) != engine.selection] or found
        self._serving = {engine.engine: engine for engine in engines}
        self._waiting = {}
        return engines

    @property
    def busy(self) -> bool:
        """Whether a version is being loaded; its engine's answers may be those of either version."""
        return self._thread is not None and self._thread.is_alive()

    def look(self) -> None:
        """Begin to load what has changed since the last look, if anything has."""
        if self.busy:
            return
        changed = [engine for engine in installed.find_all(self._repository) if self._is_new(engine)]
        if changed:
            self._thread = threading.Thread(target=self._run, args=(changed,), name="alphacut-switch", daemon=True)
            self._thread.start()

    def _is_new(self, engine: Installed) -> bool:
        if not self._wish.covers(engine.manifest["slot"], engine.manifest["tier"]):
            return False
        serving = self._serving.get(engine.engine)
        if serving is not None and serving.selection == engine.selection:
            return False
        return engine.selection not in (self._refused.get(engine.engine), self._waiting.get(engine.engine))

    def _run(self, changed: Iterable[Installed]) -> None:
        with contextlib.closing(Health(self._url)) as health:
            for engine in changed:
                try:
                    self._bring_in(engine, health)
                except UnavailableError:  # Triton is gone, and reads the repository when it starts again
                    return
                except AlphacutError as error:
                    self._refused[engine.engine] = engine.selection
                    self._take_back(engine, error, health)

    def _bring_in(self, engine: Installed, health: Health) -> None:
        check_files(engine)
        before = self._serving.get(engine.engine)
        if before is not None and before.pipeline.size != engine.pipeline.size:
            self._waiting[engine.engine] = engine.selection
            self._report(
                f"{engine.engine} goes on with version {before.version} of {before.pipeline.size} pixels; version "
                f"{engine.version} of {engine.pipeline.size} waits until the server is started anew"
            )
            return
        health.load(engine.engine if before else engine.pipeline.ensemble, _LOAD_TIMEOUT_S)
        health.check(engine, _PROBE_TIMEOUT_S)
        self._serving[engine.engine] = engine
        self._include(engine)
        instead = f" instead of {before.version}" if before else ""
        self._report(f"{engine.engine} serves version {engine.version}{instead}")

    def _take_back(self, engine: Installed, error: AlphacutError, health: Health) -> None:
        before = self._serving.get(engine.engine)
        if before is None:
            self._leave_out(engine, error, health)
            return
        try:
            _restore(before)
            health.load(engine.engine, _LOAD_TIMEOUT_S)
        except (OSError, AlphacutError) as failure:
            self._report(f"version {before.version} of {engine.engine} could not be brought back: {failure}")
            return
        self._report(f"version {engine.version} of {engine.engine} is refused, {before.version} goes on: {error}")

    def _leave_out(self, engine: Installed, error: AlphacutError, health: Health) -> None:
        self._report(f"{engine.engine} is not served: {error}")
        try:
            engine.config.unlink(missing_ok=True)
            for model in (engine.pipeline.ensemble, engine.engine):
                health.unload(model, _PROBE_TIMEOUT_S)
        except (OSError, AlphacutError) as failure:
            self._report(f"{engine.engine} could not be taken back: {failure}")


def check_files(engine: Installed) -> None:
    """Compare an engine's files with its manifest before Triton reads them.

    Raises:
        InferenceError: One is missing or another one.
    """
    for name, sha256 in engine.manifest["artefacts"].items():
        path = engine.folder / name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InferenceError(f"cannot read {path} ({error.strerror}); run: alphacut build --force") from error
        if found != sha256:
            raise InferenceError(f"{path} is not the file that was installed; run: alphacut build --force")


def _restore(engine: Installed) -> None:
    """Select a version again, in one step."""
    atomic.write(engine.config, engine.selection.encode())
