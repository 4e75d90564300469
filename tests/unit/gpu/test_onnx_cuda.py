"""ONNX Runtime with its tensors bound, on the processor's provider; only the provider's name is another on a GPU."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec

ON_CPU = ("CPUExecutionProvider", dict[str, str]())


@pytest.fixture
def reds() -> bytes:
    """A graph of the wire contract whose masks are the red channel, and whose confidences are its first pixels."""
    from alphacut_gpu import networks

    size, of_type = networks.SIZE, onnx.TensorProto
    image, mask, sure = image_spec(size).name, mask_spec(size).name, CONFIDENCE.name
    make = onnx.helper
    nodes = [
        make.make_node("Gather", [image, "zero"], [mask], axis=3),
        make.make_node("Gather", [mask, "zero"], ["row"], axis=1),
        make.make_node("Gather", ["row", "zeros"], ["first"], axis=1),
        make.make_node("Cast", ["first"], [sure], to=of_type.FLOAT),
    ]
    tensors = [
        make.make_tensor_value_info(image, of_type.UINT8, ["N", size, size, 3]),
        make.make_tensor_value_info(mask, of_type.UINT8, ["N", size, size]),
        make.make_tensor_value_info(sure, of_type.FLOAT, ["N", 1]),
    ]
    numbers = [make.make_tensor("zero", of_type.INT64, [], [0]), make.make_tensor("zeros", of_type.INT64, [1], [0])]
    graph = make.make_graph(nodes, "reds", tensors[:1], tensors[1:], numbers)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def test_bound_tensors_hold_each_batchs_own_masks(reds: bytes) -> None:
    from alphacut_gpu import networks, onnx_cuda

    engine = onnx_cuda.Engine(onnxruntime, reds, ON_CPU, "cpu")
    for rows in (1, 2, 1):
        pictures = networks.batch(3)[-rows:]
        masks, confidences = engine.masks(pictures)
        assert np.array_equal(masks, pictures[..., 0])
        assert np.array_equal(confidences, pictures[:, 0, 0, :1].astype(np.float32))
    assert engine.time(1)["images_per_s"] > 0


def test_where_cuda_graphs_are_refused_it_goes_on_without_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from alphacut_gpu import onnx_cuda

    def session(graph: bytes, providers: list[Any]) -> Any:
        if "enable_cuda_graph" in providers[0][1]:
            raise RuntimeError("This session cannot use the graph capture feature")
        return types.SimpleNamespace(get_providers=lambda: ["CUDAExecutionProvider"])

    entry: dict[str, Any] = {}
    engine = onnx_cuda._load(types.SimpleNamespace(InferenceSession=session), b"", entry)
    assert isinstance(engine, onnx_cuda.Engine)
    assert entry == {"without_graphs": "This session cannot use the graph capture feature"}


def test_a_provider_that_does_not_start_is_no_engine_of_a_gpu() -> None:
    from alphacut_gpu import onnx_cuda
    from alphacut_gpu.place import NotRunError

    session = types.SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"])
    fallen_back = types.SimpleNamespace(InferenceSession=lambda graph, providers: session)
    with pytest.raises(NotRunError, match="fell back to the processor"):
        onnx_cuda._load(fallen_back, b"", {})
