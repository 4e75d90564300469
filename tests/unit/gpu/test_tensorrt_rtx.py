"""Each engine is tried by itself; where none of the first runs, the rest of the time is left to others."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.errors import EngineError


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], dict[str, Any]]:
    """Returns what is found on a GPU whose engines run as told: by network, precision and what they are built for."""
    from alphacut_gpu import accelerator, networks, tensorrt_rtx
    from alphacut_gpu.place import NotRunError, Place

    def no_torch() -> Any:
        raise NotRunError("PyTorch is not installed")

    kinds = types.SimpleNamespace(__members__={"SM75": 1, "CURRENT": 2})
    trt = types.SimpleNamespace(__version__="1.7", ComputeCapability=kinds)
    monkeypatch.setattr(accelerator, "needed", lambda: types.SimpleNamespace(compute_capability="9.0"))
    monkeypatch.setattr(accelerator, "torch", no_torch)
    monkeypatch.setattr(tensorrt_rtx.tensorrt_module, "load_rtx", lambda: trt)
    monkeypatch.setattr(tensorrt_rtx.cuda, "load", lambda: None)
    monkeypatch.setattr(networks, "graph", lambda network, precision: f"{network} {precision}")
    monkeypatch.setattr(
        tensorrt_rtx.tensorrt_engine,
        "build",
        lambda trt, graph, size, capabilities, batches: f"{graph} {capabilities[0]}".encode(),
    )

    def measure(run: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        monkeypatch.setattr(tensorrt_rtx, "run", lambda trt, library, plan, precision, timed: run(plan.decode()))
        place = Place(tmp_path, None, quick=True)
        try:
            tensorrt_rtx.measure(place)
        except RuntimeError as error:
            return {**place.found("tensorrt_rtx"), "raised": str(error)}
        return place.found("tensorrt_rtx")

    return measure


def test_an_error_of_the_bindings_does_not_keep_other_engines_from_being_tried(measured: Any) -> None:
    def run(which: str) -> dict[str, Any]:
        if which == "u2netp fp16 CURRENT":
            raise TypeError("incompatible function arguments")
        return {"parity": {"passed": True}}

    found = measured(run)
    assert len(found["engines"]) == 10
    assert found["engines"][0]["refused"] == "TypeError: incompatible function arguments"
    assert all(Path(one["path"]).is_file() for one in found["engines"][1:])
    assert "u2netp fp16 for CURRENT: TypeError" in found["raised"]


def test_a_gpu_that_runs_no_engine_is_asked_for_two_networks_only(measured: Any) -> None:
    def run(which: str) -> dict[str, Any]:
        raise EngineError("it does not load on this GPU")

    found = measured(run)
    assert [(one["network"], one["precision"]) for one in found["engines"]] == [("u2netp", "fp16")] * 2 + [
        ("u2net", "fp16")
    ] * 2
    assert {one["refused"] for one in found["engines"]} == {"it does not load on this GPU"}
    assert "raised" not in found
