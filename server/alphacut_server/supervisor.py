"""Keep one Triton alive: start it, know that it answers rightly, restart it when it does not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from alphacut_core.errors import InferenceError, ServerStartError, UnavailableError
from alphacut_core.installed import Installed
from alphacut_server import launch, regions, scratch, served
from alphacut_server.environment import Environment
from alphacut_server.health import Health
from alphacut_server.launch import Ports
from alphacut_server.patience import Patience
from alphacut_server.prober import Prober
from alphacut_server.rounds import Rounds
from alphacut_server.served import Wish
from alphacut_server.switch import Switch
from alphacut_server.triton import Triton
from alphacut_server.wakeup import Wakeup
from alphacut_server.watch import watch


class Supervisor:
    """Runs on the main thread until told to stop. One supervisor, one server, one pair of ports."""

    def __init__(
        self,
        environment: Environment,
        repository: Path,
        ports: Ports,
        *,
        wish: Wish,
        wakeup: Wakeup,
        report: Callable[[str], None],
        patience: Patience | None = None,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            environment: Where Triton is installed.
            repository: What it serves.
            ports: Where it listens, the same after every restart.
            wish: Which of its engines.
            wakeup: Says when to stop.
            report: Called with one line for each event.
            patience: Deadlines and pauses.
        """
        self._environment = environment
        self._repository = repository
        self._ports = ports
        self._wakeup = wakeup
        self._report = report
        self._patience = patience or Patience()
        self._wish = wish
        self._health = Health(ports.grpc_url)
        self._rounds = Rounds(self._health)
        self._switch = Switch(ports.grpc_url, repository, wish, include=self._rounds.include, report=report)
        self._was_busy = False

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve until told to stop.

        Args:
            on_ready: Called once, after the first right answer.

        Raises:
            ServerStartError: No engine is built, or the first start failed; later failures are retried for ever.
        """
        regions.remove_orphans()
        scratch.remove_orphans()
        pause_s = self._patience.first_pause_s
        was_ready = False
        while not self._wakeup.stopping:
            try:
                with contextlib.closing(Prober(self._rounds.check_next)) as prober, self._running() as triton:
                    self._await_first_answer(triton)
                    if not was_ready and not self._wakeup.stopping:
                        on_ready()
                    elif not self._wakeup.stopping:
                        self._report(f"Triton answers again at {self._ports.grpc_url}")
                    was_ready = True
                    healthy_since = time.monotonic()
                    if reason := self._watch(triton, prober):
                        self._report(f"{reason}. Its log says:\n{triton.log_tail()}")
                    if time.monotonic() - healthy_since > self._patience.settled_s:
                        pause_s = self._patience.first_pause_s
            except ServerStartError as error:
                if not was_ready:
                    raise
                self._report(f"restart failed: {error}")
            if not self._wakeup.stopping:
                self._report(f"restarting Triton in {pause_s:.1f} s")
                self._wait_out(pause_s)
                pause_s = min(2 * pause_s, self._patience.longest_pause_s)
        self._health.close()

    @contextlib.contextmanager
    def _running(self) -> Iterator[Triton]:
        """Start Triton, with a folder and shared memory of its own; all of it is gone afterwards."""
        engines = self._switch.begin(served.find(self._repository, self._wish))
        self._rounds.begin(engines)
        with scratch.folder() as folder, regions.own() as prefix:
            triton = self._start(folder, prefix, engines)
            try:
                yield triton
            finally:
                triton.stop(self._patience.grace_s(stopping=self._wakeup.stopping))

    def _start(self, folder: Path, prefix: str, engines: Sequence[Installed]) -> Triton:
        try:
            backends = launch.assemble_backend(self._environment, folder)
            repository = scratch.plain(self._repository, folder)
            models = [engine.pipeline.ensemble for engine in engines]
            command = launch.command(self._environment, repository, backends, self._ports, models, regions=prefix)
            return Triton(command, launch.variables(self._environment), folder / "work")
        except OSError as error:
            raise ServerStartError(
                f"cannot start Triton: {error}; make room if the disk is full; if a file of {self._environment.folder} "
                "is missing, delete that folder and start the server again"
            ) from error

    def _wait_out(self, pause_s: float) -> None:
        end = time.monotonic() + pause_s
        while (left_s := end - time.monotonic()) > 0 and not self._wakeup.wait(left_s):
            pass

    def _await_first_answer(self, triton: Triton) -> None:
        """Poll until the known answer comes; listening alone proves nothing."""
        deadline = time.monotonic() + self._patience.start_s
        while not self._wakeup.wait(self._patience.poll_s):
            if (status := triton.process.poll()) is not None:
                raise ServerStartError(
                    f"Triton ended with status {status} before it answered. Its log says:\n{triton.log_tail()}"
                )
            try:
                self._rounds.check_all()
            except UnavailableError as error:
                if time.monotonic() > deadline:
                    raise ServerStartError(
                        f"Triton did not answer within {self._patience.start_s:.0f} s ({error}). "
                        f"Its log says:\n{triton.log_tail()}"
                    ) from error
            except InferenceError as error:
                raise ServerStartError(str(error)) from error
            else:
                return

    def _watch(self, triton: Triton, prober: Prober) -> str | None:
        return watch(
            triton.process,
            self._wakeup,
            self._patience,
            prober,
            report=self._report,
            is_changing=self._is_changing,
        )

    def _is_changing(self) -> bool:
        """Look for versions to take in; return whether one takes another's place, or did at the last look."""
        was_busy = self._was_busy
        self._switch.look()
        self._was_busy = self._switch.busy
        return was_busy or self._was_busy
