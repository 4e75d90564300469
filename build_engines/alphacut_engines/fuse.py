"""Stage fuse: the numbers live in the graph.

    IMAGE uint8 [batch, S, S, 3] ─ cast ─ channels first ─ scale ─ mean, std ─▶ network
    network ─▶ map ─ activation ─ stretch to 0..1 per image ─ x255 ─ truncate ─▶ MASK uint8 [batch, S, S]
                   └ maximum per image before the stretch ─────────────────────▶ CONFIDENCE float32 [batch, 1]

It is rembg's arithmetic in float32, written once for every engine. Only operators that ONNX Runtime, OpenVINO and
TensorRT's parser share are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from alphacut_core.contract import CONFIDENCE, image_spec, mask_spec
from alphacut_core.errors import EngineBuildError
from alphacut_engines.batch_axis import BATCH
from alphacut_engines.recipe import ModelRecipe

NETWORK = "network/"
"""What the names of the network's own nodes and tensors begin with."""

_SMALLEST_SCALE = 1e-6
"""rembg's bound under the maximum of a picture: a black one stays black."""

_SMALLEST_RANGE = 1e-12
"""Bound under max - min of a map: a constant map becomes an empty mask, where 0/0 would be NaN."""

_REDUCTIONS_TAKE_INPUT = 18
"""From this opset on the axes of ReduceMax and ReduceMin are an input instead of an attribute."""


def fuse(network: onnx.ModelProto, recipe: ModelRecipe) -> onnx.ModelProto:
    """Put the recipe's arithmetic around an optimised network.

    Args:
        network: Input float32 [batch, 3, S, S], one output float32 [batch, channels, S, S].
        recipe: Scaling, mean, std, activation and stretch.

    Returns:
        The graph of the wire contract: IMAGE in, MASK and CONFIDENCE out.

    Raises:
        EngineBuildError: The outcome is no valid graph.
    """
    inner = onnx.compose.add_prefix(network, NETWORK)
    graph = inner.graph
    writer = _Writer(graph, inner.opset_import[0].version)
    inside = list(graph.node)
    del graph.node[:]
    _write_front(writer, recipe, network_input=graph.input[0].name)
    graph.node.extend(inside)
    _write_back(writer, recipe, network_map=graph.output[0].name)
    _declare(graph, recipe.size)
    graph.name = recipe.name
    inner.producer_name = "alphacut"
    try:
        onnx.checker.check_model(inner, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise EngineBuildError(f"stage fuse: the fused graph of {recipe.name} is invalid ({error})") from error
    return inner


class _Writer:
    """Appends nodes and constants to a graph under names of its own."""

    def __init__(self, graph: onnx.GraphProto, opset: int) -> None:
        self._graph = graph
        self._opset = opset

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._graph.node.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def per_image(self, operator: str, tensor: str, output: str) -> str:
        """Reduce (batch, a, b, c) to (batch, 1, 1, 1): pictures of one batch never see each other."""
        axes = [1, 2, 3]
        if self._opset < _REDUCTIONS_TAKE_INPUT:
            return self.node(operator, [tensor], output, axes=axes, keepdims=1)
        return self.node(operator, [tensor, self.constant(f"{output}/axes", axes, np.int64)], output, keepdims=1)


def _write_front(writer: _Writer, recipe: ModelRecipe, network_input: str) -> None:
    values = writer.node("Cast", [image_spec(recipe.size).name], "front/float", to=TensorProto.FLOAT)
    planes = writer.node("Transpose", [values], "front/planes", perm=[0, 3, 1, 2])
    if recipe.scaling == "image_max":
        maximum = writer.per_image("ReduceMax", planes, "front/maximum")
        divisor = writer.node("Max", [maximum, writer.constant("front/bound", _SMALLEST_SCALE)], "front/divisor")
    else:
        divisor = writer.constant("front/divisor", 255.0)
    scaled = writer.node("Div", [planes, divisor], "front/scaled")
    mean = writer.constant("front/mean", np.reshape(recipe.mean, (1, 3, 1, 1)))
    std = writer.constant("front/std", np.reshape(recipe.std, (1, 3, 1, 1)))
    centred = writer.node("Sub", [scaled, mean], "front/centred")
    writer.node("Div", [centred, std], network_input)


def _write_back(writer: _Writer, recipe: ModelRecipe, network_map: str) -> None:
    map_ = _write_activation(writer, recipe, network_map)
    highest = writer.per_image("ReduceMax", map_, "back/highest")
    if recipe.activation == "argmax":
        contrast = _write_winner(writer, network_map)
    elif recipe.stretch == "min_max":
        contrast = _write_stretch(writer, map_, highest)
    else:
        ceiling = writer.node("Min", [map_, writer.constant("back/one", 1.0)], "back/ceiling")
        contrast = writer.node("Max", [ceiling, writer.constant("back/zero", 0.0)], "back/clipped")
    scaled = writer.node("Mul", [contrast, writer.constant("back/255", 255.0)], "back/scaled")
    flat = writer.node("Squeeze", [scaled, writer.constant("back/channel", [1], np.int64)], "back/flat")
    writer.node("Cast", [flat], mask_spec(recipe.size).name, to=TensorProto.UINT8)
    writer.node("Reshape", [highest, writer.constant("back/column", [-1, 1], np.int64)], CONFIDENCE.name)


def _write_activation(writer: _Writer, recipe: ModelRecipe, network_map: str) -> str:
    """Make of the network's output one map in 0..1: (batch, 1, S, S)."""
    if recipe.activation == "none":
        return network_map
    if recipe.activation == "sigmoid":
        return writer.node("Sigmoid", [network_map], "back/sigmoid")
    shares = writer.node("Softmax", [network_map], "back/shares", axis=1)
    bounds = [writer.constant(f"back/{name}", [at], np.int64) for name, at in (("first", 0), ("end", 1), ("axis", 1))]
    background = writer.node("Slice", [shares, *bounds], "back/background")
    return writer.node("Sub", [writer.constant("back/whole", 1.0), background], "back/subject")


def _write_winner(writer: _Writer, network_map: str) -> str:
    """Make 1 of each pixel where another class than the first is likeliest, else 0."""
    winner = writer.node("ArgMax", [network_map], "back/winner", axis=1, keepdims=1)
    number = writer.node("Cast", [winner], "back/number", to=TensorProto.FLOAT)
    return writer.node("Min", [number, writer.constant("back/one", 1.0)], "back/won")


def _write_stretch(writer: _Writer, map_: str, highest: str) -> str:
    lowest = writer.per_image("ReduceMin", map_, "back/lowest")
    span = writer.node("Sub", [highest, lowest], "back/span")
    divisor = writer.node("Max", [span, writer.constant("back/bound", _SMALLEST_RANGE)], "back/divisor")
    raised = writer.node("Sub", [map_, lowest], "back/raised")
    return writer.node("Div", [raised, divisor], "back/stretched")


def _declare(graph: onnx.GraphProto, size: int) -> None:
    types = {"UINT8": TensorProto.UINT8, "FP32": TensorProto.FLOAT}

    del graph.input[:], graph.output[:], graph.value_info[:]
    for values, specs in ((graph.input, (image_spec(size),)), (graph.output, (mask_spec(size), CONFIDENCE))):
        values.extend(
            helper.make_tensor_value_info(spec.name, types[spec.datatype], [BATCH, *spec.dims]) for spec in specs
        )
