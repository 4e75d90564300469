"""A wheel that the Python there needs and that was not fetched is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from .wheels import wheel


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """A client with an extra, and a library that newer Pythons need another one for."""
    return [
        wheel(tmp_path, "client", needs=["Lib_One>=1", "rpc>=2; extra == 'grpc'", "curl; extra == 'http'"]),
        wheel(tmp_path, "lib-one", needs=["setuptools; python_version >= '3.12'", "tomli; python_version < '3.11'"]),
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
