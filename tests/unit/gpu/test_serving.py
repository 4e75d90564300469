"""What is served is the best that starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.errors import ServerStartError


class Server:
    """Starts unless the repository is one of those that do not."""

    url = "127.0.0.1:1"

    def __init__(self, repository: Path, **settings: Any) -> None:
        self.repository = repository

    def __enter__(self) -> Server:
        if self.repository.name == "broken":
            raise ServerStartError("the stub has no libtorch.so")
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    from alphacut_gpu import serving

    servers: list[Any] = []
    monkeypatch.setattr(serving, "EmbeddedServer", Server)
    monkeypatch.setattr(serving.server_environment, "ensure", lambda place: None)
    monkeypatch.setattr(serving, "_ask", lambda place, served, url, found: servers.append(served))
    return servers


def test_an_engine_that_does_not_start_is_told_and_the_next_is_served(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import serving
    from alphacut_gpu.place import Place

    def candidates(place: Place) -> Iterator[serving.Served]:
        yield serving.Served("PyTorch, compiled", "u2net", "fp16", True, tmp_path / "broken")
        yield serving.Served("PyTorch, CUDA graphs", "u2net", "fp16", True, tmp_path / "good")
        raise AssertionError("nobody needs a third")

    monkeypatch.setattr(serving, "_candidates", candidates)
    place = Place(tmp_path, None, quick=True)
    serving.measure(place)
    assert [served.runtime for served in asked] == ["PyTorch, CUDA graphs"]
    found = place.found("serving")
    assert found["runtime"] == "PyTorch, CUDA graphs"
    assert found["refused"] == {"PyTorch, compiled, u2net in fp16": "the stub has no libtorch.so"}


def test_where_nothing_starts_no_number_is_told(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import serving
    from alphacut_gpu.place import NotRunError, Place

    monkeypatch.setattr(serving, "_candidates", lambda place: iter(()))
    with pytest.raises(NotRunError, match="run alphacut build"):
        serving.measure(Place(tmp_path, None, quick=True))
    assert asked == []
