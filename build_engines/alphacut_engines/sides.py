"""A rewriting for processors: the maps of all depths are enlarged and summed by matrices.

U²-Net's end enlarges five maps of one channel to the size of the first, joins the six, and weighs them by a
convolution 1x1. Runtimes work along channels, and one channel leaves their vector units idle. Bilinear enlarging is
linear along each axis, so with a matrix for the rows and one for the columns, which holds the weight too,

    d0 = bias + w1 side1 + sum of rows_i (side_i columns_i w_i)

is the same to the last bits of float32 and takes a tenth of the time.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from alphacut_engines import watched
from alphacut_engines.flow import Flow, attributes, drop_unused

_LINEAR = {"mode": b"linear", "coordinate_transformation_mode": b"half_pixel"}


def by_matrices(fused: onnx.ModelProto) -> onnx.ModelProto:
    """Return ``fused`` with its last join rewritten; as it is where it does not end as U²-Net does.

    Args:
        fused: The FP32 graph of the wire contract; it stays as it is.
    """
    model = onnx.ModelProto()
    model.CopyFrom(fused)
    graph = model.graph
    flow = Flow(graph)
    for weighing in [node for node in graph.node if _weighs(node, flow.weights)]:
        join = flow.maker(weighing.input[0])
        if join is None or not _joins(join, weighing, flow):
            continue
        parts = [flow.maker(name) for name in join.input]
        enlarged = {part.output[0]: part.input[0] for part in parts if part is not None and _enlarges(part)}
        if not enlarged:
            continue
        shapes = watched.shapes(fused, sorted({*join.input, *enlarged.values(), weighing.output[0]}), "engine")
        if {shapes[name] for name in join.input} != {shapes[weighing.output[0]]}:
            continue
        weights = numpy_helper.to_array(flow.weights[weighing.input[1]]).reshape(-1)
        bias = numpy_helper.to_array(flow.weights[weighing.input[2]]).reshape(1, 1, 1, 1)
        new = _Terms(graph, f"{weighing.name}/by_matrices")
        for name, weight in zip(join.input, weights, strict=True):
            if name in enlarged:
                new.enlarge(enlarged[name], shapes[enlarged[name]], shapes[name], weight)
            else:
                new.weigh(name, weight)
        _replace(graph, weighing, new.nodes(bias, weighing.output[0]))
    drop_unused(graph)
    return model


class _Terms:
    """Writes the terms of one sum."""

    def __init__(self, graph: onnx.GraphProto, prefix: str) -> None:
        self._graph, self._prefix = graph, prefix
        self._nodes: list[onnx.NodeProto] = []
        self._terms: list[str] = []

    def weigh(self, name: str, weight: np.float32) -> None:
        self._terms.append(self._node("Mul", name, self._constant(np.reshape(weight, (1, 1, 1, 1)))))

    def enlarge(self, name: str, small: tuple[int, ...], large: tuple[int, ...], weight: np.float32) -> None:
        columns = self._constant(_bilinear(small[3], large[3]).T * weight)
        wide = self._node("MatMul", name, columns)
        self._terms.append(self._node("MatMul", self._constant(_bilinear(small[2], large[2])), wide))

    def nodes(self, bias: NDArray[np.float32], output: str) -> list[onnx.NodeProto]:
        total = self._constant(bias)
        for term in self._terms:
            total = self._node("Add", term, total)
        self._nodes[-1].output[0] = output
        return self._nodes

    def _node(self, operator: str, *inputs: str) -> str:
        name = f"{self._prefix}/{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name))
        return name

    def _constant(self, value: NDArray[np.float32]) -> str:
        name = f"{self._prefix}/constant_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name


def _bilinear(small: int, large: int) -> NDArray[np.float32]:
    """Return (large, small): what ONNX's Resize does along one axis, linear, half_pixel."""
    at = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    below = np.floor(at).astype(int)
    matrix = np.zeros((large, small))
    rows = np.arange(large)
    matrix[rows, below] = 1 - (at - below)
    matrix[rows, np.minimum(below + 1, small - 1)] += at - below
    return matrix.astype(np.float32)


def _weighs(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Is it a convolution 1x1 to one channel, with a bias?"""
    if node.op_type != "Conv" or len(node.input) != 3 or not {*node.input[1:]} <= constants.keys():
        return False
    dims = constants[node.input[1]].dims
    return (dims[0], *dims[2:]) == (1, 1, 1)


def _joins(node: onnx.NodeProto, weighing: onnx.NodeProto, flow: Flow) -> bool:
    """Does it join channels, for the convolution alone?"""
    joined = node.output[0]
    alone = flow.users(joined) == [weighing] and joined not in flow.outputs
    return node.op_type == "Concat" and attributes(node)["axis"] == 1 and alone


def _enlarges(node: onnx.NodeProto) -> bool:
    """Is it bilinear, to a size? What is told a factor instead may round, and is left alone."""
    known = attributes(node)
    to_size = node.op_type == "Resize" and len(node.input) == len(("image", "region", "factors", "sizes"))
    return to_size and not known.get("antialias") and all(known.get(name) == value for name, value in _LINEAR.items())


def _replace(graph: onnx.GraphProto, old: onnx.NodeProto, new: list[onnx.NodeProto]) -> None:
    nodes = [node for known in graph.node for node in (new if known == old else [known])]
    del graph.node[:]
    graph.node.extend(nodes)
