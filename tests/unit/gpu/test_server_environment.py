"""The server's environment is made of what was carried, and of nothing that the course itself imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_server import environment as environments
from alphacut_server import paths

from .wheels import wheel


def test_what_the_course_imports_is_not_taken_for_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import carried, server_environment
    from alphacut_gpu.place import Place

    folder = tmp_path / "pack" / carried.FOR_SERVER
    folder.mkdir(parents=True)
    made = wheel(folder, "carried-thing", {"carried_thing.py": "WORD = 'here'\n"})
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"carried-thing==1.0 --hash=sha256:{carried.sha256(made)}\n")
    monkeypatch.setattr(environments, "LOCK", lock)
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    of_course = tmp_path / "site"
    carried._install([made], of_course)
    monkeypatch.setenv("PYTHONPATH", str(of_course))
    environment = server_environment.ensure(Place(tmp_path, tmp_path / "pack", quick=True))
    assert (environment.packages / "carried_thing.py").is_file()
