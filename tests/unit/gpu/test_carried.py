"""What is carried arrives whole, or is refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .wheels import wheel

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack with one wheel, made by hand, and a library."""
    from alphacut_gpu import carried

    folder = tmp_path / "out" / "pack"
    (folder / carried.FOR_DRIVER).mkdir(parents=True)
    (folder / carried.LIBRARIES).mkdir()
    (folder / carried.LIBRARIES / "libpython.so").write_bytes(bytes(range(256)) * 40)
    wheel(folder / carried.FOR_DRIVER, "carried-thing", {"carried_thing.py": "WORD = 'here'\n"})
    (folder / carried.PYTHON).write_text("{}.{}".format(*sys.version_info))
    carried.write_sums(folder, carried.SUMS)
    return folder


def test_a_pack_arrives_whole_or_in_pieces(pack: Path, tmp_path: Path) -> None:
    from alphacut_gpu import carried

    pieces = carried.split(pack, tmp_path / "pieces", 5000)
    assert len(pieces) > 2
    assert all(piece.stat().st_size <= 5000 for piece in pieces)
    for source, name in ((pack, "whole"), (tmp_path / "pieces", "joined")):
        there = carried.unpack(source, tmp_path / name)
        assert (there / "sites" / carried.FOR_DRIVER / "carried_thing.py").read_text() == "WORD = 'here'\n"
        assert (there / carried.LIBRARIES / "libpython.so").stat().st_size == 256 * 40


def test_a_lost_or_damaged_piece_is_named(pack: Path, tmp_path: Path) -> None:
    from alphacut_gpu import carried

    damaged, lost = carried.split(pack, tmp_path / "pieces", 5000)[1:3]
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + b"x")
    with pytest.raises(carried.PackError, match=rf"{damaged.name} has another checksum"):
        carried.unpack(tmp_path / "pieces", tmp_path / "there")
    damaged.write_bytes(content)
    lost.unlink()
    with pytest.raises(carried.PackError, match=rf"{lost.name} is missing"):
        carried.unpack(tmp_path / "pieces", tmp_path / "elsewhere")


def test_a_changed_file_is_named_and_what_is_no_pack_is_told(pack: Path, tmp_path: Path) -> None:
    from alphacut_gpu import carried

    (pack / carried.LIBRARIES / "libpython.so").write_bytes(b"another")
    with pytest.raises(carried.PackError, match=r"libpython\.so has another checksum"):
        carried.unpack(pack, tmp_path / "there")
    with pytest.raises(carried.PackError, match=r"make it with tests/gpu/pack\.sh"):
        carried.unpack(tmp_path, tmp_path / "elsewhere")


def test_a_pack_for_another_python_is_refused_with_the_one_to_pack_for(pack: Path, tmp_path: Path) -> None:
    from alphacut_gpu import carried

    (pack / carried.PYTHON).write_text("3.9")
    carried.write_sums(pack, carried.SUMS)
    with pytest.raises(carried.PackError, match=r"got a pack for Python 3\.9, .* --python 3\.1"):
        carried.unpack(pack, tmp_path / "there")


def test_versions_are_those_of_the_lock_for_the_python_there() -> None:
    from alphacut_gpu import pack

    pinned = pack.constraints((ROOT / "requirements" / "dev.lock").read_text(), "3.12")
    names = [one.partition("==")[0] for one in pinned]
    assert len(names) == len(set(names)) > 50, "one version of each"
    assert {"numpy", "locust", "tritonclient", "tensorrt-rtx-cu13-libs"} <= set(names)
    assert not any(word in one for one in pinned for word in (";", "\\", "sha256"))


def test_what_the_project_needs_is_carried_and_openvino_once() -> None:
    import tomllib
    from alphacut_gpu import pack

    named = pack.requirements(tomllib.loads((ROOT / "pyproject.toml").read_text()))
    assert {"tritonclient[grpc]", "onnx", "tensorrt-rtx-cu13-libs", "locust", "click"} <= set(named)
    assert not any(name.startswith(("alphacut", "openvino", "rembg")) for name in named)


def test_the_scripts_can_be_run_and_name_what_is_wrong(tmp_path: Path) -> None:
    for name in ("run.sh", "pack.sh"):
        script = ROOT / "tests" / "gpu" / name
        environment = {**os.environ, "PYTHON": sys.executable}
        told = subprocess.run([script, "--help"], env=environment, capture_output=True, text=True, check=True)
        assert f"usage: tests/gpu/{name}" in told.stdout
    command = [ROOT / "tests" / "gpu" / "run.sh", "--pack", tmp_path]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: got {tmp_path}, which has neither")
