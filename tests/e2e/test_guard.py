"""A Triton that somebody else starts, as a container does: it ends when it no longer serves, and so is started anew."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from alphacut_core import installed, probe
from alphacut_core.installed import Installed
from alphacut_server import environment, launch, regions
from alphacut_server.launch import Ports
from alphacut_server.ports import free_ports

pytestmark = pytest.mark.triton

READY = "alphacut: Triton answers rightly\n"


class Guarded:
    """``python -m alphacut_server guard`` with the embedded Triton's own command line."""

    def __init__(self, repository: Path, folder: Path, shared_memory: str) -> None:
        known = environment.ensure(lambda _line: None)
        ports = Ports(*free_ports(2))
        folder.mkdir()
        backends = launch.assemble_backend(known, folder)
        command = launch.command(known, repository, backends, ports, ["remove_background"], regions=shared_memory)
        words = ["guard", "--repository", repository, "--port", ports.grpc, "--grace", 5, *command]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut_server", *map(str, words)],
            env=launch.variables(known),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if line == READY:
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> list[psutil.Process]:
        """Return all that it started."""
        assert self._ready.wait(120)
        assert READY in self.lines, "".join(self.lines)
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait(self) -> int:
        """Return its status once it and its output have ended."""
        status = self.process.wait(60)
        self._reader.join()
        return status


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Callable[[Path], Guarded]]:
    started: list[Guarded] = []
    with regions.own() as shared_memory:

        def start(repository: Path) -> Guarded:
            started.append(Guarded(repository, tmp_path / "backends", shared_memory))
            return started[-1]

        yield start
        for one in started:
            one.process.kill()
            one.wait()
            assert one.process.stderr is not None
            one.process.stderr.close()


@pytest.fixture
def alone(repository: Path, tmp_path: Path) -> Path:
    """A repository whose only engine is the default network's."""
    copy = Path(shutil.copytree(repository, tmp_path / "model_repository", symlinks=True))
    for engine in installed.find_all(copy):
        if engine.engine != "u2netp":
            engine.config.unlink()
    return copy


def only(repository: Path) -> Installed:
    (engine,) = installed.find_all(repository)
    return engine


def test_a_dead_stub_ends_it_with_all_its_processes(guarded: Callable[[Path], Guarded], alone: Path) -> None:
    triton = guarded(alone)
    everything = triton.wait_until_ready()
    next(one for one in everything if "/preprocess/" in " ".join(one.cmdline()[1:2])).kill()
    assert triton.wait() == 1
    # Its arguments are gone where it died before the first look.
    assert re.search("alphacut: the process of (preprocess|some model) has died", triton.lines[-1])
    assert psutil.wait_procs(everything, timeout=8)[1] == []


def test_it_ends_when_told_and_calls_that_no_failure(guarded: Callable[[Path], Guarded], alone: Path) -> None:
    triton = guarded(alone)
    everything = triton.wait_until_ready()
    triton.process.send_signal(signal.SIGTERM)
    assert triton.wait() == 0
    assert psutil.wait_procs(everything, timeout=8)[1] == []


def test_an_engine_that_was_never_checked_is_refused(guarded: Callable[[Path], Guarded], alone: Path) -> None:
    folder = only(alone).folder
    probe.store_answer(255 - probe.load_answer(folder), folder)
    triton = guarded(alone)
    assert triton.wait() == 1
    assert READY not in triton.lines
    assert "differs from the known answer" in triton.lines[-1]


def test_a_triton_that_cannot_start_ends_it(guarded: Callable[[Path], Guarded], alone: Path) -> None:
    model = only(alone).folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    triton = guarded(alone)
    assert triton.wait() == 1
    assert triton.lines[-1] == "alphacut: Triton ended with status 1 before it answered\n"


def test_a_triton_that_never_answers_ends_it(repository: Path) -> None:
    (port,) = free_ports(1)
    words = ["guard", "--repository", repository, "--port", port, "--start", 1, "sleep", 1000]
    command = [sys.executable, "-m", "alphacut_server", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 1
    assert done.stderr.startswith("alphacut: Triton did not answer within 1 s of its start (")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--target", "tensorrt", "true"], "there is no engine for tensorrt in {repository}; run: alphacut build"),
        (["no-such-server"], "there is no program no-such-server on PATH"),
    ],
)
def test_what_cannot_be_run_is_told_with_the_reason(repository: Path, words: list[str], problem: str) -> None:
    command = [sys.executable, "-m", "alphacut_server", "guard", "--repository", str(repository), "--port", "1", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert problem.format(repository=repository) in done.stderr
