"""Half precision taken out of a graph: all of it computed in FP32, with the weights that FP16 had left of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

_TYPES = ("to", "dtype")
"""Attributes that say which type a node makes."""


def network(model: onnx.ModelProto) -> None:
    """Give everything in ``model`` that is FP16 the type FP32, in place."""
    _graph(model.graph)
    for function in model.functions:
        _nodes(function.node)


def tensor(values: onnx.TensorProto) -> None:
    """Give a constant that is FP16 the type FP32, in place; others stay."""
    if values.data_type == TensorProto.FLOAT16:
        whole = numpy_helper.to_array(values).astype(np.float32)
        values.CopyFrom(numpy_helper.from_array(whole, values.name))


def node(one: onnx.NodeProto) -> None:
    """Let a node make FP32 where it says that it makes FP16, in place."""
    _nodes([one])


def _graph(graph: onnx.GraphProto) -> None:
    for constant in graph.initializer:
        tensor(constant)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    _nodes(graph.node)


def _nodes(nodes: Iterable[onnx.NodeProto]) -> None:
    for attribute in (attribute for one in nodes for attribute in one.attribute):
        if attribute.name in _TYPES and attribute.i == TensorProto.FLOAT16:
            attribute.i = TensorProto.FLOAT
        for constant in (attribute.t, *attribute.tensors):
            tensor(constant)
        for inner in (attribute.g, *attribute.graphs):
            _graph(inner)
