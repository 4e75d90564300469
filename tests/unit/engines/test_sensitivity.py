"""The layer that INT8 hurts is found by measuring, and it alone is left out."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alphacut_core.agreement import Bounds
from alphacut_engines import calibration, fuse, gate, sensitivity
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference

LAYERS = 8


@pytest.fixture
def fused(recipe: ModelRecipe) -> onnx.ModelProto:
    """A chain of convolutions."""
    rng = np.random.default_rng(1)
    shapes = [(4, 3, 3, 3), *[(4, 4, 3, 3)] * (LAYERS - 2), (1, 4, 3, 3)]
    kernels = [rng.normal(0.05, 0.2, shape).astype(np.float32) for shape in shapes]
    nodes = []
    for i in range(LAYERS):
        source = f"relu{i - 1}" if i else "input"
        nodes.append(helper.make_node("Conv", [source, f"kernel{i}"], [f"conv{i}"], f"layer{i}", pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu" if i < LAYERS - 1 else "Sigmoid", [f"conv{i}"], [f"relu{i}"]))
    size = recipe.size
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, size, size])],
        [helper.make_tensor_value_info(f"relu{LAYERS - 1}", TensorProto.FLOAT, ["batch", 1, size, size])],
        [numpy_helper.from_array(kernel, f"kernel{i}") for i, kernel in enumerate(kernels)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return fuse.fuse(model, recipe)


@pytest.mark.parametrize("broken", [{0}, {3}, {7}, {1, 4, 6}], ids=str)
def test_the_layers_with_broken_ranges_alone_are_left_out(
    fused: onnx.ModelProto, pictures: Photographs, broken: set[int]
) -> None:
    wanted = gate.answers(Reference(fused, "test"), pictures)
    ranges = {name: seen.range("max") for name, seen in calibration.collect(fused, pictures).items()}
    reachable = Bounds(mean_difference=1.5, mean_iou=0.985)
    assert sensitivity.search(fused, ranges, "uint8", pictures, wanted, target=reachable) == []
    layers = {f"{fuse.NETWORK}layer{i}" for i in broken}
    for node in fused.graph.node:
        if node.name in layers:
            low, high = ranges[node.input[0]]
            ranges[node.input[0]] = (low / 30, high / 30)
    found = sensitivity.search(fused, ranges, "uint8", pictures, wanted, target=reachable)
    assert set(found) == layers
    assert len(found) == len(layers)
