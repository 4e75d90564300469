"""A contender's process as the bench sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from alphacut_core.errors import MissingLibraryError, ServerStartError
from alphacut_loadtest.bench.contenders import Contender
from alphacut_loadtest.bench.subject import Setting

_STOP_TIMEOUT_S = 40.0
_LAST_LINES = 12


class WorkerProcess:
    """Runs ``worker`` for one subject; a context, after which none of its processes is left.

    Attributes:
        pid: Root of the process tree.
        start_s: From the start of the subject to its first answer.
        marks: What it reached meanwhile, and when by the system's clock.
        versions: Of what decides the subject's speed.
    """

    def __init__(
        self,
        contender: Contender,
        setting: Setting,
        python: Path = Path(sys.executable),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process and wait for its first answer.

        Args:
            contender: The first contender of the subject to run.
            setting: What all contenders share.
            python: Interpreter to run it with.
            variables: Of the process environment, beyond the inherited ones.

        Raises:
            MissingLibraryError: The contender cannot run here.
            ServerStartError: The process ended; with its last words.
        """
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  closed by close()
        self._process = subprocess.Popen(
            [str(python), "-m", "alphacut_loadtest.bench.worker", contender.subject, contender.name, setting.to_json()],
            env={**os.environ, **(variables or {})},
            cwd=setting.scratch,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the bench alone, which then ends this in good order
        )
        self.pid = self._process.pid
        try:
            first = self._answer()
            if "unavailable" in first:
                raise MissingLibraryError(first["unavailable"])
        except BaseException:
            self.close()
            raise
        self.start_s: float = first["start_s"]
        self.marks: dict[str, float] = first["marks"]
        self.versions: dict[str, str] = first["versions"]

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, order: str, contender: Contender, concurrency: int, **arguments: Any) -> dict[str, Any]:
        """Give an order of ``worker`` and wait for its answer.

        Raises:
            ServerStartError: The process ended instead; with its last words.
        """
        line = {"order": order, "contender": contender.name, "concurrency": concurrency, **arguments}
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process by closing its input, by force if it does not listen; closing twice is fine."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        tree = psutil.Process(self.pid).children(recursive=True) if self._process.poll() is None else []
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _, alive = psutil.wait_procs(tree, timeout=0)
        for process in alive:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(alive)
        for stream in (self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            self._log.seek(0)
            words = "\n".join(self._log.read().splitlines()[-_LAST_LINES:])
            raise ServerStartError(f"the contender's process ended unasked; its last words:\n{words}")
        answer: dict[str, Any] = json.loads(line)
        return answer
