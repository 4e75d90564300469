"""What ``pip install`` brings: few dependencies, whole packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from alphacut_client.commands import extra

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("*/alphacut_*/__init__.py"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    with (ROOT / "pyproject.toml").open("rb") as file:
        loaded: dict[str, Any] = tomllib.load(file)
    return loaded


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly built wheel."""
    pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed here")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_client_alone_pulls_only_what_it_needs(project: dict[str, Any]) -> None:
    names = {re.match(r"[\w.\[\]-]+", requirement)[0] for requirement in project["project"]["dependencies"]}
    assert names == {"cykooz-resizer", "isal", "numpy", "pillow", "tritonclient[grpc]", "grpcio"}


def test_every_package_is_installed_in_both_ways(project: dict[str, Any]) -> None:
    build = project["tool"]["hatch"]["build"]
    assert sorted(build["dev-mode-dirs"]) == sorted(package.parent.name for package in PACKAGES)
    folders = sorted(str(package.relative_to(ROOT)) for package in PACKAGES)
    assert sorted(build["targets"]["wheel"]["packages"]) == folders


def test_commands_lead_to_functions_that_exist(project: dict[str, Any]) -> None:
    entries = {**project["project"]["scripts"], **project["project"]["entry-points"]["alphacut.commands"]}
    for target in entries.values():
        module, _, function = target.partition(":")
        (path,) = [
            package.parent / f"{module.replace('.', '/')}.py" for package in PACKAGES if module.startswith(package.name)
        ]
        assert re.search(rf"^(async )?def {function}\(", path.read_text(), re.MULTILINE), target


@pytest.mark.parametrize(
    ("command", "library"),
    [
        ("build", "onnx"),
        ("capacity", "psutil"),
        ("gateway", "fastapi"),
        ("load", "locust"),
        ("train", "lightning"),
        ("worker", "celery"),
        ("serve", "click"),
    ],
)
def test_the_extra_named_for_a_command_brings_its_library(project: dict[str, Any], command: str, library: str) -> None:
    module = project["project"]["entry-points"]["alphacut.commands"][command].partition(":")[0]
    brought = project["project"]["optional-dependencies"][extra(module)]
    assert [requirement for requirement in brought if re.match(r"[\w-]+", requirement)[0] == library]


def test_the_wheel_holds_every_module_and_marker(wheel: set[str]) -> None:
    for package in PACKAGES:
        sources = {str(path.relative_to(package.parent)) for path in package.rglob("*.py")}
        assert sources <= wheel
        assert f"{package.name}/py.typed" in wheel


def test_the_wheel_holds_the_bundled_weights_and_their_card(wheel: set[str]) -> None:
    assert "alphacut_engines/weights/alphacut-u2netp.onnx" in wheel
    assert "alphacut_engines/weights/MODEL_CARD.md" in wheel


def test_the_wheel_holds_what_a_checkout_has_elsewhere(wheel: set[str]) -> None:
    for picture in (ROOT / "samples").glob("*.jpg"):
        assert f"alphacut_engines/samples/{picture.name}" in wheel
    for adapter in ("preprocess", "u2netp", "postprocess"):
        assert f"alphacut_engines/adapters/{adapter}.py" in wheel


def test_installed_packages_find_what_they_brought(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)  # as pip does
    program = (
        "from alphacut_core import bundled\n"
        "from alphacut_loadtest.traffic import corpus, scenario_file\n"
        "assert all(corpus.Corpus(lane.mix).files for lane in scenario_file.load('smoke').lanes)\n"
        "print(bundled.SAMPLES, bundled.SCENARIOS, bundled.NETWORK, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        assert Path(line).is_relative_to(tmp_path)
        assert Path(line).exists()


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {package.name for package in PACKAGES}
    assert not [name for name in wheel if name.endswith((".pyc", ".plan")) or "/tests/" in name]
    assert [name for name in wheel if name.endswith("licenses/LICENSE")]
