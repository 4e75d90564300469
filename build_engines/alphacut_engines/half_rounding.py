"""What a graph with FP16 in it computes, on a processor that has no FP16.

ONNX Runtime on a CPU runs such a graph in FP32 throughout: it drops the casts that it has put around every node, and
so neither rounds nor overflows. Here each FP16 tensor is rounded to FP16's 11 digits by FP32 arithmetic that nothing
drops, and becomes infinite where FP16 would.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from alphacut_engines import widen

LARGEST = 65504.0
"""The largest number in FP16."""

_SPLIT = 2.0**13 + 1
"""Veltkamp's: x * s - (x * s - x) has the upper 24 - 13 digits of x, correctly rounded."""

_STEEP = 1e38
"""Makes infinity of any excess over the largest number."""

_CHOOSE = {"Concat", "Flatten", "Identity", "MaxPool", "Relu", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}
"""Operators that only pass on values, which have been rounded already."""

_UNROUNDED = _CHOOSE | {"DequantizeLinear"}
"""Steps go into an INT8 convolution as whole numbers; the product of their scales is an FP32 factor behind its sum."""


def emulate(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph in FP32 that gives what ``model`` gives where FP16 is computed in FP16.

    Sums inside a convolution are FP32, as they are on GPUs. Numbers below 6e-5 are rounded less than FP16 would.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = [*inferred.value_info, *inferred.output, *inferred.input]
    halves = {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT16}
    emulated = onnx.ModelProto()
    emulated.CopyFrom(model)
    graph = emulated.graph
    nodes = list(graph.node)
    del graph.node[:], graph.value_info[:]
    for tensor in graph.initializer:
        widen.tensor(tensor)
    for name, value in (("split", _SPLIT), ("largest", LARGEST), ("smallest", -LARGEST), ("steep", _STEEP)):
        graph.initializer.append(numpy_helper.from_array(np.float32(value), f"half/{name}"))
    for node in nodes:
        graph.node.extend(_in_float32(node, halves))
    return emulated


def _in_float32(node: onnx.NodeProto, halves: set[str]) -> list[onnx.NodeProto]:
    """Return the node in FP32, and behind it what rounds its output."""
    widen.node(node)
    rounded = [name for name in node.output if name in halves]
    if node.op_type in _UNROUNDED or not rounded:
        return [node]
    behind: list[onnx.NodeProto] = []
    for i, name in enumerate(node.output):
        if name in halves:
            node.output[i] = f"{name}/exact"
            behind += _round(f"{name}/exact", name)
    return [node, *behind]


def _round(exact: str, name: str) -> list[onnx.NodeProto]:
    def made(operator: str, inputs: list[str], output: str) -> onnx.NodeProto:
        return helper.make_node(operator, inputs, [output], name=f"{output}/node")

    wide, rest, digits = f"{name}/wide", f"{name}/rest", f"{name}/digits"
    clipped, excess, beyond = f"{name}/clipped", f"{name}/excess", f"{name}/beyond"
    return [
        made("Mul", [exact, "half/split"], wide),
        made("Sub", [wide, exact], rest),
        made("Sub", [wide, rest], digits),
        made("Clip", [digits, "half/smallest", "half/largest"], clipped),
        made("Sub", [digits, clipped], excess),
        made("Mul", [excess, "half/steep"], beyond),
        made("Add", [clipped, beyond], name),
    ]
