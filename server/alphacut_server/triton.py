"""One run of ``tritonserver`` as a child process: started, watched, ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from alphacut_server.leashed import Leashed

_LOG_TAIL_LINES = 12
_ERROR_STARTS = ("E", "error:")
_HARMLESS = ("CudaDriverHelper", "unable to create stream")  # said on every machine without a GPU


class Triton:
    """A running server: the process here is its leash, which ends after all that the server started."""

    def __init__(self, command: list[str], variables: dict[str, str], folder: Path) -> None:
        """Start the process.

        Args:
            command: ``launch.command``'s result.
            variables: ``launch.variables``' result.
            folder: An empty working directory: stubs import from it first. The log is kept beside it.
        """
        log = folder.with_suffix(".log")
        folder.mkdir()
        with log.open("wb") as writing, contextlib.ExitStack() as undo:
            self._log = undo.enter_context(log.open("rb"))  # kept open: somebody may remove the file meanwhile
            self._leashed = Leashed(command, variables=variables, folder=folder, output=writing)
            undo.pop_all()
        self.process = self._leashed.process

    def stop(self, grace_s: float) -> None:
        """End it: politely, then after ``grace_s`` not; afterwards none of its processes is left."""
        self._leashed.stop(grace_s)
        self._log.close()
        self._sweep()

    def _sweep(self) -> None:
        """End stubs whose leash somebody else killed."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def log_tail(self) -> str:
        """Return the log's errors, or its last lines where there are none."""
        self._log.seek(0)
        lines = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line.split("\\n\\nAt:")[0] for line in lines if line.startswith(_ERROR_STARTS)]
        errors = [line for line in errors if not any(harmless in line for harmless in _HARMLESS)]
        return "\n".join((errors or lines)[-_LOG_TAIL_LINES:])
