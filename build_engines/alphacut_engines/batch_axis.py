"""The batch axis: free at the input and output, and nowhere fixed in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from alphacut_engines.recipe import ModelRecipe

BATCH = "batch"
_IR_VERSION = 8


def free(model: onnx.ModelProto, recipe: ModelRecipe) -> None:
    """Give ``model`` inputs and outputs of any batch size, in place.

    Older exports fix a batch of one at the input, and again in every Resize, whose output size they write down.

    Args:
        model: With the one wanted output.
        recipe: Size and channels.
    """
    _free_resizes(model)
    name = picture(model).name
    (mask,) = model.graph.output
    # Before IR version 4 weights had to be inputs too. What exporters say of shapes in between is inferred anew.
    del model.graph.input[:], model.graph.value_info[:]
    model.ir_version = max(model.ir_version, _IR_VERSION)
    model.graph.input.append(_declaration(name, 3, recipe.size))
    mask.CopyFrom(_declaration(mask.name, recipe.channels, recipe.size))


def picture(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """Return the declaration of the one input that is no weight."""
    weights = {tensor.name for tensor in model.graph.initializer}
    (picture,) = (value for value in model.graph.input if value.name not in weights)
    return picture


def _declaration(name: str, channels: int, size: int) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [BATCH, channels, size, size])


def _free_resizes(model: onnx.ModelProto) -> None:
    """Replace output sizes (batch included) by scales."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in [*inferred.value_info, *inferred.input, *inferred.output]
    }
    constants = _constants(model.graph)
    for node in model.graph.node:
        if node.op_type != "Resize" or len(node.input) < 4 or node.input[3] not in constants:
            continue
        before = shapes.get(node.input[0], [])
        if len(before) != 4 or not all(before[2:]):
            continue
        after = {axis % 4: int(side) for axis, side in zip(_take_axes(node), constants[node.input[3]], strict=True)}
        name = f"{node.output[0]}/scales"
        scales = np.array([1, 1, *(_scale(before[axis], after.get(axis, before[axis])) for axis in (2, 3))], np.float32)
        model.graph.initializer.append(numpy_helper.from_array(scales, name))
        del node.input[2:]
        node.input.append(name)


def _take_axes(resize: onnx.NodeProto) -> list[int]:
    """Return the axes that a Resize states sizes of, and let it state all: from opset 18 on it may leave some out."""
    stated = next((attribute for attribute in resize.attribute if attribute.name == "axes"), None)
    if stated is None:
        return list(range(4))
    axes = list(stated.ints)
    resize.attribute.remove(stated)
    return axes


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """Return the tensors whose values stand in the file, as initializers or as nodes."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    values = {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "Constant" and node.attribute[0].name == "value_ints":
            values[node.output[0]] = np.array(node.attribute[0].ints)
    return values


def _scale(before: int, after: int) -> float:
    """Return ``after / before`` in float32, such that rounding does not make the side one pixel shorter."""
    scale = np.float32(after / before)
    shorter = int(np.float32(before) * scale) < after
    return float(np.nextafter(scale, np.float32(np.inf)) if shorter else scale)
