"""How the embedded server's environment comes to be, and what it says when it cannot."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import threading
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from alphacut_core.errors import ServerStartError
from alphacut_server import environment, interpreter, paths
from alphacut_server.__main__ import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python that makes environments whose pip is a script; ``pip`` decides what it does."""
    program, pip = tmp_path / "python3.11", tmp_path / "pip"
    program.write_text(f'#!/bin/sh\nmkdir -p "$3/bin" && cp {pip} "$3/bin/python"\n')
    pip.write_text("#!/bin/sh\nexit 0\n")
    for file in (program, pip):
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(interpreter, "find", lambda: interpreter.Interpreter("3.11", program, tmp_path))
    return pip


def test_it_is_made_once_and_found_again(home: Path, python: Path):
    lines: list[str] = []
    first = environment.ensure(lines.append)
    assert len(lines) == 2
    assert first.folder.parent == home
    assert environment.ensure(lines.append) == first
    assert len(lines) == 2


def test_its_interpreter_is_told_on_standard_output_alone(home: Path, python: Path):
    told = CliRunner().invoke(main, ["environment"])
    assert told.exit_code == 0
    assert Path(told.stdout.strip()) == environment.ensure(lambda _line: None).folder / "bin" / "python"
    assert "environment is ready" in told.stderr


def test_a_failed_installation_is_reported_with_pips_words_and_tried_anew(home: Path, python: Path):
    good = python.read_text()
    python.write_text("#!/bin/sh\necho 'no matching distribution' >&2\nexit 3\n")
    with pytest.raises(ServerStartError, match=r"exit status 3.*package index(.|\n)*no matching distribution"):
        environment.ensure(lambda _line: None)
    python.write_text(good)
    assert environment.ensure(lambda _line: None).folder.is_dir()


def test_one_whose_python_is_gone_is_made_anew(home: Path, python: Path):
    made = environment.ensure(lambda _line: None)
    (made.folder / "bin" / "python").unlink()
    (made.folder / "bin" / "python").symlink_to(home / "python3.11-that-was-upgraded")
    environment.ensure(lambda _line: None)
    assert (made.folder / "bin" / "python").exists()


def test_too_little_room_is_told_before_anything_is_made(home: Path, python: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=2**23))
    with pytest.raises(ServerStartError, match=r"home has 8 MiB left, .* takes 500; .*ALPHACUT_HOME"):
        environment.ensure(lambda _line: None)


def test_an_installation_is_ended_with_the_one_who_wanted_it(home: Path, python: Path, tmp_path: Path):
    number = tmp_path / "number"
    os.mkfifo(number)
    python.write_text(f"#!/bin/sh\necho $$ > {number}\nexec sleep 1000\n")

    def terminate() -> None:
        pids.append(int(number.read_text()))
        os.kill(os.getpid(), signal.SIGTERM)

    pids: list[int] = []
    thread = threading.Thread(target=terminate)
    thread.start()
    assert CliRunner().invoke(main, ["environment"]).exit_code == 128 + signal.SIGTERM
    thread.join()
    assert not psutil.pid_exists(pids[0])


def test_a_full_disk_is_named(home: Path, python: Path):
    python.write_text("#!/bin/sh\necho 'OSError: [Errno 28] No space left on device' >&2\nexit 1\n")
    with pytest.raises(ServerStartError, match="disk is full"):
        environment.ensure(lambda _line: None)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "file" / "home"))
    with pytest.raises(ServerStartError, match=r"cannot write to .*ALPHACUT_HOME"):
        environment.ensure(lambda _line: None)


def test_a_user_without_a_home_is_told_to_name_a_folder(python: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "XDG_CACHE_HOME", paths.HOME_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 2)  # nobody's number
    done = CliRunner().invoke(main, ["environment"])
    assert done.exit_code == 1
    assert "error: got ~/.cache/alphacut, and no home of user 2147483646 is known; point $ALPHACUT_HOME" in done.stderr


def test_other_machines_are_sent_to_the_container(home: Path, python: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(ServerStartError, match="x86-64 Linux only, this is aarch64"):
        environment.ensure(lambda _line: None)


def test_an_old_glibc_is_named(home: Path, python: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.31"))
    with pytest.raises(ServerStartError, match=r"2\.35 or newer, this is 2\.31"):
        environment.ensure(lambda _line: None)


def test_numpy_2_is_kept_out_by_the_lock_file():
    lock = Path(environment.__file__).with_name("requirements.lock").read_text()
    assert "numpy==1.26.4" in lock
    assert "--hash=sha256:" in lock


def test_openvinos_telemetry_is_not_installed():
    lock = Path(environment.__file__).with_name("requirements.lock").read_text()
    assert "openvino==" in lock
    assert "telemetry" not in lock
