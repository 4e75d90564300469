"""The end of U²-Net by matrices computes what it computed before, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from alphacut_engines import fuse, sides
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED

SIZE = 16
LINEAR = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def two_sided(height: int, width: int, *, channels: int = 1, by_factor: bool = False, **resize: Any) -> onnx.ModelProto:
    """A graph of the wire contract's form: a fine side, a coarse one of any size, joined and weighed."""
    draw = np.random.default_rng(0)

    def constant(name: str, value: Any, dtype: type = np.float32) -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(value, dtype), name)

    how = ["coarse", "", "factors"] if by_factor else ["coarse", "", "", "size"]
    nodes = [
        helper.make_node("Cast", ["IMAGE"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["fine"], name="side1"),
        helper.make_node("Resize", ["fine", "", "", "small"], ["coarse"], mode="nearest"),
        helper.make_node("Resize", how, ["enlarged"], **{**LINEAR, **resize}),
        helper.make_node("Concat", ["fine", "enlarged"], ["joined"], axis=1),
        helper.make_node("Conv", ["joined", "weights", "bias"], ["map"], name="outconv"),
    ]
    constants = [
        constant("kernel", draw.normal(size=(channels, 3, 1, 1)) / 100),
        constant("small", [1, channels, height, width], np.int64),
        constant("size", [1, channels, SIZE, SIZE], np.int64),
        constant("factors", [1, 1, SIZE / height, SIZE / width]),
        constant("weights", draw.normal(size=(1, 2 * channels, 1, 1))),
        constant("bias", [0.25]),
    ]
    graph = helper.make_graph(
        nodes,
        "two-sided",
        [helper.make_tensor_value_info("IMAGE", TensorProto.UINT8, [1, SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, 1, SIZE, SIZE])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def pictures(count: int, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), np.uint8)


def test_the_bundled_networks_masks_stay_in_batches_too(bundled: onnx.ModelProto) -> None:
    fused = fuse.fuse(bundled, BUNDLED)
    before = fused.SerializeToString()
    rewritten = sides.by_matrices(fused)
    assert fused.SerializeToString() == before
    assert operators(rewritten).count("MatMul") - operators(fused).count("MatMul") == 10
    assert operators(fused).count("Resize") - operators(rewritten).count("Resize") == 5
    onnx.checker.check_model(rewritten, full_check=True)

    seen = pictures(3, BUNDLED.size)
    (masks, confidences), (wanted, wanted_confidences) = (
        Reference(model, "test").masks(seen) for model in (rewritten, fused)
    )
    assert np.abs(masks.astype(int) - wanted).max() <= 1
    assert (masks != wanted).mean() < 0.005  # there is no subject in noise, and stretching shows the last bits
    np.testing.assert_allclose(confidences, wanted_confidences, atol=1e-6)


@settings(max_examples=25)
@given(height=st.integers(1, 24), width=st.integers(1, 24))
def test_any_size_is_enlarged_or_shrunk_as_onnx_does(height: int, width: int) -> None:
    model = two_sided(height, width)
    rewritten = sides.by_matrices(model)
    assert "MatMul" in operators(rewritten)
    assert operators(rewritten).count("Resize") == 1
    got, wanted = (Reference(each, "test").run(pictures(1, SIZE))[0] for each in (rewritten, model))
    np.testing.assert_allclose(got, wanted, atol=1e-4)


@pytest.mark.parametrize(
    "other",
    [
        {"mode": "nearest"},
        {"mode": "cubic"},
        {"coordinate_transformation_mode": "align_corners"},
        {"antialias": 1},
        {"channels": 2},
        {"by_factor": True},
    ],
    ids=str,
)
def test_other_ends_are_left_as_they_are(other: dict[str, Any]) -> None:
    model = two_sided(5, 7, **other)
    assert operators(sides.by_matrices(model)) == operators(model)


def test_a_join_that_others_see_is_left_as_it_is() -> None:
    model = two_sided(5, 7)
    model.graph.output.append(helper.make_tensor_value_info("joined", TensorProto.FLOAT, [1, 2, SIZE, SIZE]))
    assert operators(sides.by_matrices(model)) == operators(model)
