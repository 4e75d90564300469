"""The optimised network computes the same, for any number of pictures, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from alphacut_core.errors import EngineBuildError
from alphacut_engines import batch_axis, fuse, optimise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference


def test_a_batch_axis_fixed_by_the_export_is_freed(make_network, recipe: ModelRecipe) -> None:
    network = optimise.optimise(make_network(batch=1), recipe)
    shape = (5, 3, recipe.size, recipe.size)
    assert Reference(network, "test").run(np.zeros(shape, np.float32))[0].shape == (5, 1, recipe.size, recipe.size)


def test_a_batch_axis_fixed_inside_the_graph_is_refused(make_network, recipe: ModelRecipe) -> None:
    model = make_network(batch=1)
    for name, rows, columns in (("flat", 1, recipe.size**2), ("square", recipe.size, recipe.size)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, rows, columns]), f"{name}/shape"))
    model.graph.node.append(helper.make_node("Reshape", ["d0", "flat/shape"], ["flat"]))
    model.graph.node.append(helper.make_node("Relu", ["flat"], ["relu"]))
    model.graph.node.append(helper.make_node("Reshape", ["relu", "square/shape"], ["square"]))
    model.graph.output[0].name = "square"
    with pytest.raises(EngineBuildError, match="export it with a dynamic batch axis"):
        optimise.optimise(model, recipe)


def test_only_the_wanted_output_and_what_it_needs_stay(make_network, recipe: ModelRecipe) -> None:
    model = make_network(outputs=7)
    network = optimise.optimise(model, recipe)
    assert [value.name for value in network.graph.output] == ["d0"]
    assert [node.op_type for node in network.graph.node] == ["Conv", "Sigmoid"]
    assert len(model.graph.output) == 7, "the source is the caller's"


@pytest.mark.parametrize("opset", [11, 13, 17, 20])
def test_networks_of_all_accepted_opsets_are_optimised(make_network, recipe: ModelRecipe, opset: int) -> None:
    network = optimise.optimise(make_network(opset=opset), recipe)
    assert network.opset_import[0].version == max(opset, 17)


def test_values_that_optimising_changed_are_refused(
    make_network, recipe: ModelRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxslim.slim", lambda model: make_network(weight=0.9))
    with pytest.raises(EngineBuildError, match=r"after simplification computes other values.*export it with opset 17"):
        optimise.optimise(make_network(), recipe)


def test_large_values_may_differ_by_as_much_more(
    make_network, recipe: ModelRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rounded(by: float) -> None:
        network = make_network(sigmoid=False, weight=1000.0 * (1 + by))
        monkeypatch.setattr("onnxslim.slim", lambda model: network)
        optimise.optimise(make_network(sigmoid=False, weight=1000.0), recipe)

    rounded(1e-5)
    with pytest.raises(EngineBuildError, match="after simplification computes other values"):
        rounded(1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_without_numbers_is_refused_as_what_it_is(make_network, recipe: ModelRecipe, value: float) -> None:
    with pytest.raises(EngineBuildError, match="gives NaN or infinity"):
        optimise.optimise(make_network(sigmoid=False, bias=value), recipe)


def test_an_old_export_that_lists_its_weights_as_inputs_is_optimised(make_network, recipe: ModelRecipe) -> None:
    model = make_network(batch=1, opset=11)
    for weight in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    model.ir_version = 3
    network = optimise.optimise(model, recipe)
    assert [value.name for value in network.graph.input] == ["input"]
    fused = Reference(fuse.fuse(network, recipe), "test")
    assert fused.masks(np.zeros((2, recipe.size, recipe.size, 3), np.uint8))[0].shape == (2, recipe.size, recipe.size)


@pytest.mark.parametrize("as_node", [False, True])
@pytest.mark.parametrize("stride", [2, 3, 5])
def test_a_resize_to_a_size_with_a_batch_of_one_is_freed(
    make_network, recipe: ModelRecipe, stride: int, as_node: bool
) -> None:
    model = make_network(batch=1)
    shrink = model.graph.node[0]
    shrink.attribute.append(helper.make_attribute("strides", [stride, stride]))
    sizes = np.array([1, 1, recipe.size, recipe.size], np.int64)
    if as_node:
        model.graph.node.insert(0, helper.make_node("Constant", [], ["sizes"], value=numpy_helper.from_array(sizes)))
    else:
        model.graph.initializer.append(numpy_helper.from_array(sizes, "sizes"))
    model.graph.node.insert(
        1 + as_node, helper.make_node("Resize", ["logits", "", "", "sizes"], ["enlarged"], mode="linear")
    )
    model.graph.node[-1].input[0] = "enlarged"
    optimise.optimise(model, recipe)  # which proves it at batch 1, 2 and 7


def test_a_resize_that_leaves_axes_out_is_freed(make_network, recipe: ModelRecipe) -> None:
    model = make_network(opset=18)
    model.graph.node[0].attribute.append(helper.make_attribute("strides", [2, 2]))
    sizes = helper.make_node("Constant", [], ["sizes"], value_ints=[recipe.size, recipe.size])
    resize = helper.make_node("Resize", ["logits", "", "", "sizes"], ["enlarged"], mode="linear", axes=[-1, 2])
    for place, node in enumerate((sizes, resize)):
        model.graph.node.insert(1 + place, node)
    model.graph.node[-1].input[0] = "enlarged"
    optimised = optimise.optimise(model, recipe)  # which proves it at batch 1, 2 and 7
    assert "Resize" in [node.op_type for node in optimised.graph.node]


def test_a_map_that_does_not_depend_on_the_picture_is_refused(make_network, recipe: ModelRecipe) -> None:
    model = make_network(batch=1)
    picture = np.ones((1, 3, recipe.size, recipe.size), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(picture, "picture"))
    model.graph.node[0].input[0] = "picture"
    with pytest.raises(EngineBuildError, match="does not depend on the picture"):
        optimise.optimise(model, recipe)


def test_a_map_smaller_than_the_picture_is_refused_with_both_sizes(make_network, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.node.append(helper.make_node("MaxPool", ["d0"], ["small"], kernel_shape=[4, 4], strides=[4, 4]))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("small", TensorProto.FLOAT, ["batch", 1, 4, 4]))
    with pytest.raises(EngineBuildError, match=r"the shape \(1, 1, 4, 4\); it has to be \(1, 1, 16, 16\): export it"):
        optimise.optimise(model, recipe)


@pytest.mark.parametrize("before", range(1, 41))
def test_scales_give_back_the_size_that_they_stand_for(before: int) -> None:
    for after in range(1, 1025):
        assert int(np.float32(before) * np.float32(batch_axis._scale(before, after))) == after
