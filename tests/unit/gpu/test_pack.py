"""What one section imports is carried with all that it needs, and not twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from .wheels import wheel


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """Where that lies which every section imports."""
    folder = tmp_path / "driver"
    folder.mkdir()
    wheel(folder, "numpy")
    return folder


def index_with(monkeypatch: pytest.MonkeyPatch, **needs: Sequence[str]) -> list[Sequence[str]]:
    """Let pip find these packages and nothing else; return what it is asked for."""
    from alphacut_gpu import pack

    asked: list[Sequence[str]] = []

    def download(folder: Path, python: str, what: Sequence[str]) -> None:
        folder.mkdir(exist_ok=True)
        asked.append(what)
        for name, of_it in needs.items():
            wheel(folder, name, needs=of_it)

    monkeypatch.setattr(pack, "_download", download)
    return asked


def test_what_a_section_needs_comes_along_and_what_all_have_does_not(
    driver: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import pack

    asked = index_with(monkeypatch, dali=["optree", "numpy"], optree=[], numpy=[])
    assert pack._of_section(tmp_path / "decoding", driver, "3.12", ["dali"]) == []
    assert "--no-deps" not in asked[0]
    assert asked[0][-1] == "dali"
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "decoding").iterdir()) == ["dali", "optree"]


def test_what_a_section_lacks_is_named(driver: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import pack

    index_with(monkeypatch, codec=["nvjpeg; extra == 'jpeg'"])
    assert pack._of_section(tmp_path / "decoding", driver, "3.12", ["codec[jpeg]"]) == ["nvjpeg, for codec"]


def test_nvimagecodec_brings_the_library_without_which_it_decodes_on_the_processor() -> None:
    from alphacut_gpu import pack

    assert pack.OPTIONAL["nvimgcodec"] == ("decoding", "nvidia-nvimgcodec-cu13[nvjpeg]")


def test_no_wheel_is_carried_that_needs_a_newer_c_library_than_triton() -> None:
    from alphacut_gpu import libpython, pack

    newest = max(int(name.split("_")[2]) for name in pack._PLATFORMS if name.startswith("manylinux_2_"))
    assert newest == libpython.GLIBC[1]
