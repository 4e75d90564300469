"""A wheel that the Python there needs and that was not fetched is named."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest


def wheel(folder: Path, name: str, needs: Sequence[str] = ()) -> Path:
    """Write a wheel of nothing but its metadata."""
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {need}" for need in needs)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name.replace('-', '_')}-1.0.dist-info/METADATA", "\n".join(lines) + "\n")
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """A client with an extra, and a library that newer Pythons need another one for."""
    return [
        wheel(tmp_path, "client", ["Lib_One>=1", "rpc>=2; extra == 'grpc'", "curl; extra == 'http'"]),
        wheel(tmp_path, "lib-one", ["setuptools; python_version >= '3.12'", "tomli; python_version < '3.11'"]),
        wheel(tmp_path, "rpc"),
    ]


def test_conditions_are_those_of_the_python_there(wheels: list[Path]) -> None:
    from alphacut_gpu import closure

    assert closure.lacking(wheels, ["client"], "3.11") == []
    assert closure.lacking(wheels, ["client"], "3.12") == ["setuptools, for Lib_One"]


def test_extras_are_followed_where_they_are_asked_for(wheels: list[Path]) -> None:
    from alphacut_gpu import closure

    assert closure.lacking(wheels, ["client[grpc]"], "3.11") == []
    assert closure.lacking(wheels[:2], ["client[grpc]", "client"], "3.11") == ["rpc, for client"]
    assert closure.lacking(wheels, ["client[http]", "other"], "3.11") == ["curl, for client", "other, for the course"]
