"""Which Python the embedded Triton gets."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from alphacut_core.errors import ServerStartError
from alphacut_server import interpreter


def fake_python(folder: Path, name: str, version: str, library_folder: Path) -> Path:
    """A program that answers like a Python of that version."""
    program = folder / name
    answer = {"version": version, "executable": str(program), "library_folder": str(library_folder)}
    told = json.dumps({**answer, "prefix": str(folder / "prefix")})
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose running Python is too new and whose PATH is one folder."""
    monkeypatch.setattr(sys, "executable", str(fake_python(tmp_path, "running", "3.13", tmp_path)))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr(interpreter, "_SYSTEM_LIBRARIES", ())
    for version in interpreter.SUPPORTED:
        fake_python(tmp_path, f"python{version}", "broken", tmp_path).write_text("#!/bin/sh\nexit 127\n")
    return tmp_path


def test_a_supported_python_on_the_path_is_taken_when_the_running_one_is_not(machine: Path):
    fake_python(machine, "python3.12", "3.12", machine)
    (machine / "libpython3.12.so.1.0").touch()
    assert interpreter.find() == interpreter.Interpreter("3.12", machine / "python3.12", machine)


def test_a_python_without_its_shared_library_is_passed_over_for_one_that_has_it(machine: Path):
    fake_python(machine, "python3.11", "3.11", machine)
    fake_python(machine, "python3.12", "3.12", machine)
    (machine / "libpython3.12.so.1.0").touch()
    assert interpreter.find().version == "3.12"


def test_a_missing_shared_library_is_answered_with_the_line_that_installs_it(machine: Path):
    fake_python(machine, "python3.11", "3.11", machine)
    with pytest.raises(ServerStartError, match=r"run: apt-get install libpython3\.11$"):
        interpreter.find()


def test_no_supported_python_is_answered_with_the_line_that_installs_one(machine: Path):
    with pytest.raises(ServerStartError, match=r"apt-get install python3\.11 python3\.11-venv libpython3\.11"):
        interpreter.find()


def test_the_system_library_serves_a_python_built_without_its_own(machine: Path, monkeypatch: pytest.MonkeyPatch):
    system = machine / "system"
    system.mkdir()
    (system / "libpython3.11.so.1.0").touch()
    monkeypatch.setattr(interpreter, "_SYSTEM_LIBRARIES", (str(system),))
    fake_python(machine, "python3.11", "3.11", machine / "nowhere")
    assert interpreter.find().library_folder == system


def test_a_python_that_was_moved_is_found_with_the_library_beside_it(machine: Path):
    own = machine / "prefix" / "lib"
    own.mkdir(parents=True)
    (own / "libpython3.12.so.1.0").touch()
    fake_python(machine, "python3.12", "3.12", Path("/install/lib"))
    assert interpreter.find().library_folder == own
