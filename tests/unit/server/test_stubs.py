"""Stubs that die, stubs that are ended, and stubs that come later."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alphacut_core.stub import PROGRAM, model_of
from alphacut_server.stubs import Stubs

# Starts stubs as it is told, and waits for them only when it is told.
TRITON = """
import subprocess, sys
stubs = {}
for line in sys.stdin:
    word, model = line.split()
    if word == "start":
        stubs[model] = subprocess.Popen([sys.argv[1], f"{sys.argv[2]}/{model}/1/model.py"], stdin=subprocess.PIPE)
    else:
        stubs[model].wait()
    print(stubs[model].pid, flush=True)
for stub in stubs.values():
    stub.kill()
    stub.wait()
"""


class PlayedTriton:
    """A process whose children are called as stubs are; the leash is this process."""

    def __init__(self, folder: Path) -> None:
        (folder / PROGRAM).symlink_to("/bin/sh")
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRITON, str(folder / PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, model: str) -> int:
        """Start a stub that waits for ever, and return its number."""
        script = self._folder / model / "1" / "model.py"
        script.parent.mkdir(parents=True)
        script.write_text("read line\n")
        return self._tell(f"start {model}")

    def wait_for(self, model: str) -> None:
        """Let it take notice of a stub's end."""
        self._tell(f"wait {model}")

    def _tell(self, line: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[PlayedTriton]:
    played = PlayedTriton(tmp_path)
    yield played
    with played.process:
        pass  # closes its input and waits


def kill(pid: int) -> None:
    """Kill a process, and return once it is dead."""
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([ended], [], [], 20)[0]
    os.close(ended)


def test_a_stub_that_dies_is_named_at_the_second_look(triton: PlayedTriton) -> None:
    pids = {model: triton.start(model) for model in ("u2netp", "preprocess", "postprocess")}
    stubs = Stubs(os.getpid())
    assert stubs.dead() == []
    kill(pids["u2netp"])
    kill(pids["postprocess"])
    assert stubs.dead() == []
    assert stubs.dead() == ["postprocess", "u2netp"]


def test_a_stub_that_triton_ends_itself_is_no_loss(triton: PlayedTriton) -> None:
    pid = triton.start("u2netp")
    stubs = Stubs(os.getpid())
    kill(pid)
    assert stubs.dead() == []
    triton.wait_for("u2netp")
    assert stubs.dead() == []
    assert stubs.dead() == []


def test_one_that_died_before_anybody_looked_is_missed_too(triton: PlayedTriton) -> None:
    kill(triton.start("u2netp"))
    stubs = Stubs(os.getpid())
    stubs.dead()
    assert stubs.dead() == ["some model"]


def test_those_that_come_later_count_once_they_are_looked_for(triton: PlayedTriton) -> None:
    stubs = Stubs(os.getpid())
    pid = triton.start("u2netp_lite")
    stubs.find()
    kill(pid)
    stubs.dead()
    assert stubs.dead() == ["u2netp_lite"]


@pytest.mark.parametrize(
    ("command", "model"),
    [
        ([f"/a b/{PROGRAM}", "/models/u2netp/3/model.py", "prefix", "8192"], "u2netp"),
        ([PROGRAM, "-x", "/models/remove.d/1/model.py"], "remove.d"),
        ([PROGRAM], None),
        (["tritonserver", "/models/u2netp/3/model.py"], None),
        ([], None),
    ],
)
def test_a_stub_is_known_by_its_program_and_its_model_by_its_file(command: list[str], model: str | None) -> None:
    assert model_of(command) == model
