"""Programs run to their end: what is told of them, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from alphacut_server import leashed

SHELL = "/bin/sh"


def test_its_exit_status_and_all_it_said_are_told():
    assert leashed.run([SHELL, "-c", "echo one; echo two >&2; cat; exit 3"]) == (3, "one\ntwo\n")


def test_a_program_that_a_signal_ended_says_which():
    assert leashed.run([SHELL, "-c", "kill -KILL $$"]) == (128 + signal.SIGKILL, "")


def test_a_program_that_is_not_there_is_named(tmp_path: Path):
    status, said = leashed.run([str(tmp_path / "python3.11")])
    assert status == 127
    assert f"{tmp_path}/python3.11 cannot be started: No such file or directory" in said


def test_one_that_says_what_is_no_text_is_told_all_the_same():
    assert leashed.run([SHELL, "-c", r"printf '\377ok'"]) == (0, "\ufffdok")


def test_it_does_not_outlive_a_handler_that_raises_right_after_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    number = tmp_path / "number"
    os.mkfifo(number)
    pids: list[int] = []

    def spawn(*arguments: object, **options: object) -> int:
        pids.append(start(*arguments, **options))
        pids.append(int(number.read_text()))
        raise SystemExit(128 + signal.SIGTERM)

    start: Callable[..., int] = os.posix_spawn
    monkeypatch.setattr(os, "posix_spawn", spawn)
    with pytest.raises(SystemExit):
        leashed.run([SHELL, "-c", f"sleep 1000 & echo $! > {number}; wait"])
    assert not psutil.pid_exists(pids[1])
    os.waitpid(pids[0], 0)


def test_no_descriptor_is_left_open():
    before = os.listdir("/proc/self/fd")
    leashed.run([sys.executable, "-c", "print('there')"])
    assert os.listdir("/proc/self/fd") == before
