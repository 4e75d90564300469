"""The optimised network computes the same, for any number of pictures, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

from alphacut_core.errors import EngineBuildError
from alphacut_engines import optimise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference


def test_a_batch_axis_fixed_by_the_export_is_freed(make_network, recipe: ModelRecipe) -> None:
    network = optimise.optimise(make_network(batch=1), recipe)
    shape = (5, 3, recipe.size, recipe.size)
    assert Reference(network, "test").run(np.zeros(shape, np.float32))[0].shape == (5, 1, recipe.size, recipe.size)


def test_a_batch_axis_fixed_inside_the_graph_is_refused(make_network, recipe: ModelRecipe) -> None:
    model = make_network(batch=1)
    shape = np.array([1, 1, recipe.size, recipe.size], np.int64)
    model.graph.initializer.append(numpy_helper.from_array(shape, "shape"))
    model.graph.node.append(helper.make_node("Reshape", ["d0", "shape"], ["fixed"]))
    model.graph.output[0].name = "fixed"
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
    with pytest.raises(EngineBuildError, match="after simplification computes other values"):
        optimise.optimise(make_network(), recipe)
