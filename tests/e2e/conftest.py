"""The gateway as its users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class GatewayProcess:
    """``alphacut gateway`` in a process of its own."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut_client", "gateway", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        self.url = words[1] if len(words) == 2 else ""

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C; return exit status and what was logged."""
        self.process.send_signal(signal.SIGINT)
        try:
            _, log = self.process.communicate(timeout=30)
            return self.process.returncode, log
        finally:
            self.process.kill()


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
