"""Half precision between FP32 ends; layers that it cannot hold are found by measuring, and stay in FP32."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from alphacut_core.agreement import BOUNDS
from alphacut_engines import half, half_rounding, overflow
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference

from .conftest import MakeNetwork, difference_in_half

pytest.importorskip("onnxconverter_common", reason="FP16 needs onnxconverter-common; run pip install '.[rtx]'")


def test_a_network_within_range_is_halved_whole(
    make_enlarging: MakeNetwork, recipe: ModelRecipe, pictures: Photographs
) -> None:
    plain = make_enlarging(1.0)
    assert overflow.search(plain, recipe, pictures) == []
    halved = half.to_half(plain)
    assert {tensor.data_type for tensor in halved.graph.initializer} == {TensorProto.FLOAT16}
    assert halved.graph.input[0].type == plain.graph.input[0].type
    assert difference_in_half(halved, plain, recipe, pictures) < BOUNDS["fp16"].mean_difference


def test_layers_that_overflow_are_found_and_stay_in_fp32(
    make_enlarging: MakeNetwork, recipe: ModelRecipe, pictures: Photographs
) -> None:
    plain = make_enlarging(1e5)
    assert difference_in_half(half.to_half(plain), plain, recipe, pictures) > BOUNDS["fp16"].mean_difference
    found = overflow.search(plain, recipe, pictures)
    assert found == ["enlarge", "rectify", "shrink"]
    blocked = half.to_half(plain, found)
    assert difference_in_half(blocked, plain, recipe, pictures) < BOUNDS["fp16"].mean_difference
    kinds = {tensor.name: tensor.data_type for tensor in blocked.graph.initializer}
    assert sorted(kinds.values()) == [TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT16]


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0, 65504.0])
def test_emulation_rounds_as_numpy_does(scale: float) -> None:
    values = np.random.default_rng(0).uniform(-scale, scale, (1, 1000)).astype(np.float32)
    to_half = helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16)
    back = helper.make_node("Cast", ["half"], ["y"], to=TensorProto.FLOAT)
    shape = ["batch", 1000]
    graph = helper.make_graph(
        [to_half, back],
        "casts",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    network = Reference(half_rounding.emulate(model), "test")
    below_normal = 3e-8
    np.testing.assert_allclose(network.run(values)[0], values.astype(np.float16), rtol=0, atol=below_normal)
    assert np.abs(values - values.astype(np.float16)).max() > 0
    assert not np.isfinite(network.run(np.full((1, 1000), 1e5, np.float32))[0]).any()
