"""A machine says what it lacks before anything large is carried there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alphacut_server import interpreter

GPU = Path(__file__).resolve().parents[2] / "gpu"


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with a driver that shows two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho 'NVIDIA H200, 9.0, 143771 MiB, 580.1'\necho 'NVIDIA L4, 8.9, 23034 MiB, 580.1'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_gpus_are_told_in_the_words_of_the_driver(driver: Path) -> None:
    from alphacut_gpu import check

    lines = [str(fact) for fact in check.facts()]
    assert "ok     NVIDIA H200, 9.0, 143771 MiB, 580.1; NVIDIA L4, 8.9, 23034 MiB, 580.1" in lines


def test_what_is_lacking_is_told_with_what_follows_and_is_the_exit_status(
    driver: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from alphacut_gpu import check, libpython

    driver.unlink()
    monkeypatch.setattr(libpython, "find", lambda version: None)
    assert check.tell() == 1
    told = capsys.readouterr().out
    version = "{}.{}".format(*sys.version_info)
    assert "lacks  a GPU that nvidia-smi shows: only the processor is measured" in told
    assert f"lacks  libpython{version}.so.1.0: serving fails; tests/gpu/pack.sh --libpython FILE" in told


def test_nothing_lacking_is_a_success(driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import check, libpython

    monkeypatch.setattr(libpython, "find", lambda version: Path("/usr/lib", libpython.name(version)))
    monkeypatch.setattr(check, "_has", lambda package: True)
    assert check.tell() == 0


def test_it_needs_no_library_at_all() -> None:
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.append({str(GPU)!r}); import alphacut_gpu.__main__",
    ]
    subprocess.run(command, check=True)


def test_versions_and_places_are_the_embedded_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import libpython

    assert libpython.VERSIONS == interpreter.SUPPORTED
    (tmp_path / libpython.name("3.0")).touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nowhere:{tmp_path}")
    assert libpython.find("3.0") == tmp_path / libpython.name("3.0")
