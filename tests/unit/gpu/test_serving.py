"""What is served is the best that starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.errors import ServerStartError


class Server:
    """Starts unless the repository is one of those that do not."""

    url, metrics_url, pid = "127.0.0.1:1", "http://127.0.0.1:2/metrics", 1

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
    monkeypatch.setattr(serving, "_ask", lambda place, served, service, found: servers.append(served))
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


def test_of_the_ways_of_pytorch_the_faster_one_in_tritons_largest_batch_is_served_and_no_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alphacut_gpu import serving
    from alphacut_gpu.place import Place

    def of(images_per_s: float, *, passed: bool = True) -> dict[str, Any]:
        batches = {"16": {"images_per_s": images_per_s}, "32": {"images_per_s": 9000.0}}
        return {"batches": batches, "parity": {"passed": passed}, "path": "network.pt2"}

    def served(folder: Path, runtime: str, network: Path) -> serving.Served:
        return serving.Served(runtime, "u2net", "fp16", True, folder)

    monkeypatch.setattr(serving, "_pytorch", served)
    monkeypatch.setattr(serving, "_traced", lambda place: tmp_path)
    place = Place(tmp_path, None, quick=True)

    def order() -> list[str]:
        return [one.runtime for one in serving._candidates(place) if one.on_gpu]

    place.keep("torch_compiled", of(2000.0))
    place.keep("torch_yardstick", {"networks": {"u2net": of(2500.0)}})
    assert order() == ["PyTorch, CUDA graphs", "PyTorch, compiled"]
    place.keep("torch_compiled", of(3000.0))
    assert order() == ["PyTorch, compiled", "PyTorch, CUDA graphs"]
    place.keep("torch_yardstick", {"networks": {"u2net": of(9000.0, passed=False)}})
    assert order() == ["PyTorch, compiled"]


def test_what_is_aimed_at_arrives_too_where_callers_got_as_much() -> None:
    from alphacut_gpu import serving

    assert serving._rates(400.0) == pytest.approx([200, 280, 340, 380])
    assert serving._rates(1300.0)[0] == 1050
    assert serving._rates(0.0) == [0.5] * 4
