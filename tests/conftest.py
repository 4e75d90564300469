"""Fixtures shared by all tests: sample pictures and the real embedded server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from alphacut_core import installed
from alphacut_server import regions
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]

# Where the suite runs in the background, Ctrl-C is ignored and so would be by all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
START_TIMEOUT_S = 240  # the very first start fetches the server's environment


class RedisProcess:
    """A Redis of one's own on a Unix socket; it keeps nothing on a disk."""

    def __init__(self, folder: str, program: str) -> None:
        self._arguments = [program, "--unixsocket", f"{folder}/redis.sock", "--port", "0", "--save", ""]
        self._arguments += ["--dir", folder, "--loglevel", "warning"]
        self.url = f"unix://{folder}/redis.sock"
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        self.process = subprocess.Popen(self._arguments, stdout=subprocess.DEVNULL)
        wait_until("an answer of Redis", self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None
        with redis.Redis.from_url(self.url) as client, contextlib.suppress(redis.exceptions.RedisError):
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()


class ServerProcess:
    """``python -m alphacut_server serve`` as its users start it."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut_server", "serve", "--until-stdin-closes", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env={**os.environ, **variables},
        )
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()  # blocks until the server answers or ends
        self.url = words[1] if len(words) == 2 else ""
        self.metrics_url = self.process.stdout.readline().split()[1] if self.url else ""

    @property
    def stderr(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()

    def children(self) -> list[psutil.Process]:
        """Triton and its stubs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def triton(self) -> psutil.Process:
        return next(child for child in self.children() if child.name() == "tritonserver")

    def close(self) -> int:
        """End it as its owner's end does; return its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()  # nothing happens if it has ended
            self._close_files()

    def kill(self) -> None:
        """End it at once; its leash ends the rest, sooner than Triton would by itself."""
        everything = self.children() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(everything, timeout=60)
        regions.remove_orphans()
        self._close_files()
        assert not alive

    def _close_files(self) -> None:
        for file in (self.process.stdin, self.process.stdout, self._stderr):
            assert file is not None
            file.close()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's model repository with the built CPU engine."""
    folder = ROOT / "model_repository"
    if installed.find(folder, "u2netp") is None:
        pytest.fail("the CPU engine is not built; run: alphacut build")
    return folder


@pytest.fixture
def start_server(repository: Path, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers that the test may harm; whatever is left of them is ended afterwards."""
    started: list[ServerProcess] = []

    def start(*arguments: str, **variables: str) -> ServerProcess:
        # One tier starts sooner than three, and shows as much.
        tier = () if "--tier" in arguments else ("--tier", "full")
        started.append(ServerProcess(*tier, *arguments, **{"TMPDIR": str(tmp_path), **variables}))
        return started[-1]

    yield start
    for server in started:
        server.kill()


class DeafProxy:
    """Takes connections and answers none."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def was_asked(self) -> bool:
        """Return whether anybody connected."""
        try:
            self._listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def deaf_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeafProxy]:
    """A proxy that the environment names for everything."""
    proxy = DeafProxy()
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy", "grpc_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    """A real Redis for one test."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("found no redis-server on PATH; Debian: apt-get install redis-server")
    with tempfile.TemporaryDirectory(prefix="alphacut-redis-", dir="/tmp") as folder:
        running = RedisProcess(folder, program)
        yield running
        running.kill()


@pytest.fixture(scope="session")
def server(repository: Path) -> Iterator[ServerProcess]:
    """One real Triton for the whole session; it must end cleanly."""
    server = ServerProcess("--model", "u2netp")  # all its tiers, and nothing else that is installed here
    assert server.url, server.stderr
    everything = server.children()
    yield server
    assert server.close() == 0
    _, alive = psutil.wait_procs(everything, timeout=5)
    assert not alive


@pytest.fixture(scope="session")
def server_url(server: ServerProcess) -> str:
    """Its gRPC address."""
    return server.url


@pytest.fixture(scope="session")
def server_metrics_url(server: ServerProcess) -> str:
    """The address of its Prometheus page."""
    return server.metrics_url


@pytest.fixture(scope="session")
def bundled_graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The bundled network optimised, and fused besides, as `alphacut build` keeps both; nobody may change them.

    Where they are not kept, or the builder's code is another one, they take half a minute.
    """
    from alphacut_engines import fingerprint, graphs
    from alphacut_engines.order import Order
    from alphacut_engines.registry import BUNDLED
    from alphacut_engines.stage_cache import StageCache
    from alphacut_engines.stages import Stages

    order = Order(
        recipe=BUNDLED,
        tier="full",
        native_size=BUNDLED.size,
        source=BUNDLED.weights,
        repository=tmp_path_factory.mktemp("repository"),
        target=installed.CPU,
        precision="auto",
        gate=None,
        calibration=None,
        force=False,
    )
    cache = StageCache(fingerprint.of_stages(), refresh=False)
    stages = Stages(lambda step: None, lambda name: None, order.source)
    optimised, fused = graphs.make(order, fingerprint.of_network(order.source), cache, stages)
    return optimised.model, fused.model


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """The sample photographs by name."""
    return {path.stem: path.read_bytes() for path in sorted((ROOT / "samples").glob("*.jpg"))}
