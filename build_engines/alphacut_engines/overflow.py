"""Which layers FP16 cannot hold: its largest number is 65504, and what is larger becomes infinite and then black."""

from __future__ import annotations

import numpy as np
import onnx

from alphacut_engines import fuse
from alphacut_engines.half_rounding import LARGEST
from alphacut_engines.photographs import Photographs
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.watched import Watched

_HEADROOM = 2.0
"""Other photographs may bring larger values than those that were seen."""

_PICTURES = 16


def search(network: onnx.ModelProto, recipe: ModelRecipe, photographs: Photographs) -> list[str]:
    """Return the names of the nodes that have to stay in FP32: all that write or read a tensor too large for FP16.

    Args:
        network: Optimised, float32; its nodes have names.
        recipe: How it is used.
        photographs: What flows through it; up to 16 of them are used.
    """
    fused = fuse.fuse(network, recipe)
    inside = [node for node in fused.graph.node if node.name.startswith(fuse.NETWORK)]
    tensors = _floats(fused, {name for node in inside for name in node.output})
    largest = _largest(fused, tensors, photographs.some(_PICTURES))
    too_large = {name for name, value in largest.items() if not value <= LARGEST / _HEADROOM}
    return [
        node.name.removeprefix(fuse.NETWORK) for node in inside if too_large.intersection([*node.input, *node.output])
    ]


def _floats(model: onnx.ModelProto, among: set[str]) -> list[str]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    return sorted(
        value.name
        for value in [*inferred.value_info, *inferred.output]
        if value.name in among and value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    )


def _largest(fused: onnx.ModelProto, tensors: list[str], photographs: Photographs) -> dict[str, float]:
    """Return the largest magnitude that each tensor had."""
    # A reduction per tensor instead of the tensor: all tensors of a large network do not fit into memory.
    maxima = {f"{name}/largest": name for name in tensors}
    nodes = []
    for maximum, name in maxima.items():
        nodes.append(onnx.helper.make_node("Abs", [name], [f"{name}/magnitude"]))
        nodes.append(onnx.helper.make_node("ReduceMax", [f"{name}/magnitude"], [maximum], keepdims=0))
    watched = Watched(fused, list(maxima), "half", nodes)
    largest = dict.fromkeys(tensors, 0.0)
    for _, square in photographs:
        for maximum, value in watched.values(square[None]).items():
            largest[maxima[maximum]] = float(np.maximum(largest[maxima[maximum]], value))
    return largest
