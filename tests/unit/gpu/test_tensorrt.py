"""TensorRT is measured where it is installed; elsewhere the reason is how to get it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.errors import EngineError, MissingLibraryError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A course's folder, on a GPU without PyTorch."""
    from alphacut_gpu import accelerator
    from alphacut_gpu.place import NotRunError, Place

    def no_torch() -> Any:
        raise NotRunError("PyTorch is not installed")

    monkeypatch.setattr(accelerator, "needed", lambda: None)
    monkeypatch.setattr(accelerator, "torch", no_torch)
    return Place(tmp_path, None, quick=True)


def test_without_it_the_reason_is_how_to_get_it(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import tensorrt

    for name in ("tensorrt", "tensorrt_bindings"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibraryError, match="pip install tensorrt-cu13"):
        tensorrt.measure(place)


def test_full_u2net_is_built_for_the_gpu_at_hand_judged_and_timed(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import networks, targets, tensorrt, tensorrt_rtx

    monkeypatch.setitem(sys.modules, "tensorrt", types.SimpleNamespace(__version__="11.4.0"))
    monkeypatch.setattr(tensorrt.cuda, "load", lambda: None)
    monkeypatch.setattr(networks, "graph", lambda network, precision: f"{network} {precision}")

    def build(trt: Any, graph: str, size: int, batches: tuple[int, int, int]) -> bytes:
        if graph.endswith("int8"):
            raise EngineError("no INT8 here")
        return graph.encode()

    def run(trt: Any, library: Any, plan: bytes, precision: str, *, timed: bool, rtx: bool) -> dict[str, Any]:
        assert (plan, timed, rtx) == (b"u2net fp16", True, False)
        return {"parity": {"passed": True}, "batches": {"32": {"images_per_s": 7000.0, "time_ms": 5.0}}}

    monkeypatch.setattr(tensorrt.tensorrt_engine, "build", build)
    monkeypatch.setattr(tensorrt_rtx, "run", run)
    tensorrt.measure(place)
    found = place.found("tensorrt")
    assert found["version"] == "11.4.0"
    assert [one.get("refused") for one in found["engines"]] == [None, "no INT8 here"]
    aim = targets.judge({"tensorrt": found})[0]
    assert (aim.measured, aim.by, aim.verdict) == (7000.0, "TensorRT", "met")


def test_a_plan_of_tensorrts_is_asked_for_no_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import tensorrt_rtx

    asked: list[Any] = []
    engine = types.SimpleNamespace(create_execution_context=lambda *how: asked.append(how))
    runtime = types.SimpleNamespace(deserialize_cuda_engine=lambda plan: engine)
    monkeypatch.setattr(tensorrt_rtx.tensorrt_engine, "make_log", lambda trt: None)
    monkeypatch.setattr(tensorrt_rtx, "cuda", types.SimpleNamespace(Stream=lambda library: None))
    monkeypatch.setattr(tensorrt_rtx, "Lane", lambda *given: None)
    tensorrt_rtx.Engine(types.SimpleNamespace(Runtime=lambda log: runtime), b"a plan", None, rtx=False)
    assert asked == [()]
