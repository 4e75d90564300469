"""The gateway as its users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class GatewayProcess:
    """``alphacut gateway`` in a process of its own."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        # No pipe: nobody reads it while tests run, and a gateway that cannot log stands still.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by end()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut_client", "gateway", *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **variables},
        )
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        self.url = words[1] if len(words) == 2 else ""

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C; return exit status and what was logged."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.wait()

    def wait(self) -> tuple[int, str]:
        """Let it end by itself; return exit status and what was logged."""
        try:
            self.process.communicate(timeout=30)
            self._log.seek(0)
            return self.process.returncode, self._log.read()
        finally:
            self.process.kill()
            self._log.close()


@pytest.fixture(scope="session")
def gateway(server_url: str, repository: Path) -> Iterator[str]:
    running = GatewayProcess("--url", server_url, "--repository", str(repository))
    assert running.url, running.end()[1]
    yield running.url
    status, log = running.end()
    assert status == 0, log
    assert "Traceback" not in log


@pytest.fixture
def start_gateway() -> Iterator[Callable[..., GatewayProcess]]:
    """Start gateways of one's own; whatever is left of them is ended afterwards."""
    started: list[GatewayProcess] = []

    def start(*arguments: str, **variables: str) -> GatewayProcess:
        started.append(GatewayProcess(*arguments, **variables))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.end()
