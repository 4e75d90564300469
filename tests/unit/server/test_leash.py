"""The process between a supervisor and Triton: what ends with whom, and how that is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import alphacut_server

LEASH = Path(alphacut_server.__file__).with_name("leash.py")

WAIT = "import signal; print('there', flush=True); signal.pause()"
# Its child leaves the session, and a grandchild, left alone, wants to hear of nothing.
WITH_DESCENDANTS = """
import os, signal, sys
ready, told = os.pipe()
if not os.fork():
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    print(os.getpid(), flush=True)
    os.write(told, b".")
    while True:
        signal.pause()
os.wait()
os.read(ready, 1)
"""


class Leashed:
    """A Python program on a leash that this process owns."""

    def __init__(self, program: str) -> None:
        reading, writing = os.pipe()
        self._held = os.fdopen(writing, "wb")
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(LEASH), str(reading), sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(reading,),
        )
        os.close(reading)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def let_go(self) -> None:
        """Do what the kernel does when the owner ends."""
        self._held.close()


Leash = Callable[[str], Leashed]


@pytest.fixture
def leash() -> Iterator[Leash]:
    started: list[Leashed] = []

    def start(program: str) -> Leashed:
        started.append(Leashed(program))
        return started[-1]

    yield start
    for each in started:
        each.let_go()
        each.process.wait()
        assert each.process.stdout is not None
        each.process.stdout.close()


def test_its_status_is_the_programs(leash: Leash) -> None:
    assert leash("raise SystemExit(7)").process.wait() == 7


def test_a_signal_that_ended_the_program_is_told_as_shells_do(leash: Leash) -> None:
    assert leash("import os; os.kill(os.getpid(), 9)").process.wait() == 128 + signal.SIGKILL


def test_a_request_to_end_is_passed_on(leash: Leash) -> None:
    handler = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    leashed = leash(handler + WAIT)
    assert leashed.line() == "there"
    leashed.process.terminate()
    assert leashed.process.wait() == 5


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    reading, held = os.pipe()
    missing = str(tmp_path / "tritonserver")
    done = subprocess.run(
        [sys.executable, "-I", str(LEASH), str(reading), missing],
        pass_fds=(reading,), stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(reading)
    os.close(held)
    assert done.returncode == 127
    assert done.stderr == f"error: {missing} cannot be started: No such file or directory\n"


def test_it_ends_after_all_descendants_when_the_owner_is_gone(leash: Leash) -> None:
    leashed = leash(WITH_DESCENDANTS + "signal.pause()")
    descendant = int(leashed.line())
    program = psutil.Process(leashed.process.pid).children()
    leashed.let_go()
    assert leashed.process.wait() == 1
    assert not psutil.pid_exists(descendant)
    assert not any(process.is_running() for process in program)


def test_a_program_that_ends_takes_its_descendants_along(leash: Leash) -> None:
    leashed = leash(WITH_DESCENDANTS)
    descendant = int(leashed.line())
    assert leashed.process.wait() == 0
    assert not psutil.pid_exists(descendant)


def test_an_owner_that_is_gone_before_the_program_starts_is_noticed_too(leash: Leash) -> None:
    leashed = leash(WAIT)
    leashed.let_go()
    assert leashed.process.wait() == 1


def test_whoever_kills_the_leash_alone_kills_the_program(leash: Leash) -> None:
    leashed = leash(WAIT)
    assert leashed.line() == "there"
    program = psutil.Process(leashed.process.pid).children()
    leashed.process.kill()
    assert psutil.wait_procs(program, timeout=60)[1] == []
