"""Small real networks, so that most tests of the builder take milliseconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alphacut_engines.registry import BUNDLED, ModelRecipe

SIZE = 16

MakeNetwork = Callable[..., onnx.ModelProto]


@pytest.fixture
def make_network() -> MakeNetwork:
    """A factory of one-convolution networks: float32 [batch, 3, S, S] to float32 [batch, 1, S, S]."""

    def make(
        *,
        batch: int | str = "batch",
        size: int = SIZE,
        weight: float = 1.0,
        bias: float = 0.0,
        outputs: int = 1,
        opset: int = 17,
        sigmoid: bool = True,
    ) -> onnx.ModelProto:
        # Uneven weights: a mix-up of channels or of rows and columns shows.
        kernel = np.linspace(-0.5, 1.0, 27, dtype=np.float32).reshape(1, 3, 3, 3) * weight
        last = "Sigmoid" if sigmoid else "Identity"
        nodes = [helper.make_node("Conv", ["input", "kernel", "bias"], ["logits"], pads=[1, 1, 1, 1])]
        nodes += [helper.make_node(last, ["logits"], [f"d{i}"]) for i in range(outputs)]
        graph = helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, size, size])],
            [helper.make_tensor_value_info(f"d{i}", TensorProto.FLOAT, [batch, 1, size, size]) for i in range(outputs)],
            [
                numpy_helper.from_array(kernel, "kernel"),
                numpy_helper.from_array(np.array([bias], np.float32), "bias"),
            ],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)

    return make


@pytest.fixture
def recipe() -> ModelRecipe:
    """How the small networks are used."""
    return dataclasses.replace(BUNDLED, name="small", engine="small", size=SIZE)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    """Writes a network to a file."""

    def save(model: onnx.ModelProto) -> Path:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return save
