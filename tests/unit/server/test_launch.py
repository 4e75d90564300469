"""What Triton and its stubs find in their environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphacut_server import launch
from alphacut_server.environment import Environment
from alphacut_server.interpreter import Interpreter


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path, Interpreter("3.12", Path("/usr/bin/python3.12"), Path("/usr/lib")))


def test_memory_of_large_photographs_goes_back_unless_the_caller_says_otherwise(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    assert launch.variables(environment)["MALLOC_ARENA_MAX"] == "2"

    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    seen = launch.variables(environment)
    assert (seen["MALLOC_ARENA_MAX"], seen["MALLOC_TRIM_THRESHOLD_"]) == ("7", str(8 * 2**20))


def test_what_would_lead_an_isolated_interpreter_astray_is_not_handed_on(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LD_PRELOAD", "")
    seen = launch.variables(environment)
    assert not {"PYTHONPATH", "LD_PRELOAD"} & seen.keys()
    assert seen["PATH"].startswith(str(environment.folder / "bin"))


def test_the_folder_of_a_gpus_driver_stays_and_comes_last(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, other = tmp_path / "nvidia", tmp_path / "conda"
    for folder, library in ((driver, "libcuda.so.1"), (other, "libstdc++.so.6")):
        folder.mkdir()
        (folder / library).touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{other}::{driver}")
    named = launch.variables(environment)["LD_LIBRARY_PATH"].split(":")
    assert named == [*map(str, environment.libraries), str(driver)]
