"""Channels that hardly vary flow without their constant, and every value stays what it was."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from alphacut_engines import optimise, recentre
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED
from alphacut_engines.watched import Watched

SIZE = 16
RECIPE: ModelRecipe = dataclasses.replace(BUNDLED, size=SIZE)
CONSTANT = 226.0
"""What channel 14 behind a layer of the published u2netp is on every picture, plus or minus one."""

CONVOLUTION: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


def network(
    *between: onnx.NodeProto,
    end: str = "relu",
    channels: int = 4,
    constant: float = CONSTANT,
    opset: int = 17,
    first: dict[str, Any] | None = None,
    **second: Any,
) -> onnx.ModelProto:
    """Two convolutions, the second of which subtracts what the first has added to one channel.

    Args:
        between: Nodes from ``relu`` to ``end``.
        end: Name of what the second convolution takes.
        channels: How many it takes.
        constant: What is added to channel 1.
        opset: Of the graph.
        first: Attributes of the first convolution, instead of 3x3 with a border of 1.
        second: Attributes of the second one, instead of the same.
    """
    draw = np.random.default_rng(1)
    kernel = draw.normal(size=(4, 3, 3, 3)) / 5
    kernel[1] /= 10
    weights = draw.normal(size=(1, channels, *second.get("kernel_shape", (3, 3)))) / 5
    bias = [-constant * weights[0, 1].sum()]
    nodes = [
        helper.make_node("Conv", ["input", "kernel", "shift"], ["conv"], name="first", **(first or CONVOLUTION)),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu"),
        *between,
        helper.make_node("Conv", [end, "weights", "bias"], ["map"], name="second", **(second or CONVOLUTION)),
        # Whatever the size of its map, the network's output has the size of its input.
        helper.make_node("GlobalAveragePool", ["map"], ["mean"], name="mean"),
        helper.make_node("Conv", ["input", "grey"], ["plane"], name="plane"),
        helper.make_node("Add", ["plane", "mean"], ["logits"], name="logits"),
        helper.make_node("Sigmoid", ["logits"], ["d0"], name="sigmoid"),
    ]
    constants = {
        "kernel": kernel,
        "shift": [0.1, constant, 0.2, 0.0],
        "weights": weights,
        "bias": bias,
        "grey": np.full((1, 3, 1, 1), 0.1),
        "factors": [1, 1, 2, 2],
    }
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("d0", TensorProto.FLOAT, ["batch", 1, SIZE, SIZE])],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def pictures() -> NDArray[np.float32]:
    return np.random.default_rng(2).uniform(-2, 2.5, (2, 3, SIZE, SIZE)).astype(np.float32)


def assert_moved_to_the_same_values(model: onnx.ModelProto) -> onnx.ModelProto:
    moved = recentre.recentre(model, RECIPE)
    assert recentre.count(moved) == 1
    assert recentre.count(model) == 0, "the network is the caller's"
    onnx.checker.check_model(moved, full_check=True)
    np.testing.assert_allclose(
        Watched(moved, ["map"], "test").values(pictures())["map"],
        Watched(model, ["map"], "test").values(pictures())["map"],
        atol=CONSTANT * 2e-5,  # float32 has 24 digits, and nine numbers as large as the constant are added
    )
    return moved


sizes = st.integers(1, 3)


@settings(max_examples=40)
@given(
    kernel=st.tuples(sizes, sizes),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    strides=st.tuples(sizes, sizes),
    dilations=st.tuples(sizes, sizes),
    opset=st.sampled_from([17, 18, 21]),
)
def test_what_a_convolution_makes_of_the_constant_is_added_whatever_its_geometry(
    kernel: tuple[int, int], pads: tuple[int, ...], strides: tuple[int, int], dilations: tuple[int, int], opset: int
) -> None:
    model = network(opset=opset, kernel_shape=kernel, pads=pads, strides=strides, dilations=dilations)
    assert_moved_to_the_same_values(model)


def test_the_constant_passes_enlarging_pooling_and_joining() -> None:
    nodes = [
        helper.make_node("MaxPool", ["relu"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        helper.make_node(
            "Resize", ["pooled", "", "factors"], ["large"], mode="linear", coordinate_transformation_mode="half_pixel"
        ),
        helper.make_node("Concat", ["large", "relu", "input"], ["joined"], axis=1),
    ]
    assert_moved_to_the_same_values(network(*nodes, end="joined", channels=11))


def test_two_layers_behind_each_other_both_lose_their_constants() -> None:
    nodes = [
        helper.make_node("Conv", ["relu", "again", "shift"], ["conv2"], name="middle", **CONVOLUTION),
        helper.make_node("Relu", ["conv2"], ["relu2"], name="relu2"),
    ]
    model = network(*nodes, end="relu2")
    again = np.random.default_rng(3).normal(size=(4, 4, 3, 3)) / 5
    again[:, 1] /= 1000
    again[1] = 0
    model.graph.initializer.append(numpy_helper.from_array(again.astype(np.float32), "again"))
    moved = recentre.recentre(model, RECIPE)
    assert recentre.count(moved) == 2
    np.testing.assert_allclose(
        Reference(moved, "test").run(pictures())[0], Reference(model, "test").run(pictures())[0], atol=1e-5
    )


def test_a_value_below_all_that_were_seen_is_kept() -> None:
    model = network(constant=30.0)
    moved = recentre.recentre(model, RECIPE)
    extreme = pictures() * 200  # the first convolution goes below zero by far, where the ReLU cuts it off
    relu = Watched(model, ["relu"], "test").values(extreme)["relu"]
    assert relu[:, 1].min() == 0
    shifted = Watched(moved, ["relu"], "test").values(extreme)["relu"]
    np.testing.assert_allclose(shifted[:, 1] - shifted[:, 1].min(), relu[:, 1], rtol=1e-4, atol=1e-3)


def test_what_is_left_fits_into_bfloat16() -> None:
    model = network()
    moved = assert_moved_to_the_same_values(model)
    wanted = Watched(model, ["map"], "test").values(pictures())["map"]
    inside = (..., slice(1, -1), slice(1, -1))
    assert np.abs(rounded(model) - wanted)[inside].max() > 0.1
    assert np.abs(rounded(moved) - wanted)[inside].max() < 0.01


def rounded(model: onnx.ModelProto) -> NDArray[np.float32]:
    """What the second convolution gives where the tensor between the two is BF16."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes = list(copy.graph.node)
    del copy.graph.node[:]
    for node in nodes:
        copy.graph.node.append(node)
        if node.output[0] == "relu":
            copy.graph.node[-1].output[0] = "exact"
            copy.graph.node.append(helper.make_node("Cast", ["exact"], ["short"], to=TensorProto.BFLOAT16))
            copy.graph.node.append(helper.make_node("Cast", ["short"], ["relu"], to=TensorProto.FLOAT))
    copy.graph.output.append(helper.make_tensor_value_info("map", TensorProto.FLOAT, None))
    values: NDArray[np.float32] = Reference(copy, "test", as_is=True).run(pictures())[1]
    return values


@pytest.mark.parametrize(
    ("between", "end"),
    [
        ([helper.make_node("Add", ["relu", "relu"], ["end"])], "end"),
        ([helper.make_node("AveragePool", ["relu"], ["end"], **CONVOLUTION)], "end"),
        ([helper.make_node("Concat", ["relu", "relu"], ["end"], axis=2)], "end"),
        (
            [
                helper.make_node(
                    "Resize",
                    ["relu", "box", "factors"],
                    ["end"],
                    coordinate_transformation_mode="tf_crop_and_resize",
                )
            ],
            "end",
        ),
        ([helper.make_node("ReduceMax", ["relu"], ["unused"])], "relu"),
    ],
    ids=["sum", "average with border", "joined rows", "crop", "seen by another node as well"],
)
def test_a_constant_stays_where_something_else_than_a_convolution_needs_it(
    between: list[onnx.NodeProto], end: str
) -> None:
    model = network(*between, end=end)
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 0, -1, -1, 1, 1, 2, 2], np.float32), "box"))
    assert recentre.recentre(model, RECIPE) is model


def test_a_constant_stays_before_a_convolution_that_pads_as_it_likes() -> None:
    model = network(kernel_shape=[3, 3], auto_pad="SAME_UPPER")
    assert recentre.recentre(model, RECIPE) is model


def test_a_constant_stays_in_an_output() -> None:
    model = network()
    model.graph.output.append(helper.make_tensor_value_info("relu", TensorProto.FLOAT, ["batch", 4, SIZE, SIZE]))
    assert recentre.recentre(model, RECIPE) is model


def test_a_network_whose_channels_vary_stays_as_it_is() -> None:
    model = network(constant=1.0)
    assert recentre.recentre(model, RECIPE) is model


def test_what_the_pipeline_optimises_is_recentred_and_proved() -> None:
    assert recentre.count(optimise.optimise(network(), RECIPE)) == 1


def test_old_exports_whose_nodes_have_no_names_are_recentred_too() -> None:
    model = network()
    for node in model.graph.node:
        node.ClearField("name")
    optimised = optimise.optimise(model, RECIPE)
    assert recentre.count(optimised) == 1
    names = [node.name for node in optimised.graph.node]
    assert "" not in names
    assert len(set(names)) == len(names)
