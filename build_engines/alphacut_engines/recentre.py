"""A rewriting for low precisions: channels that hardly vary flow without their constant.

    before:  relu(conv(x) + b)        ─▶ enlarge, pool, join ─▶ conv'(y) + b'
    after:   max(conv(x) + b - c, -c) ─▶ enlarge, pool, join ─▶ conv'(y) + b' + conv'(c)

``constant_channels`` finds c. Every operator on the way passes a constant on, and what a convolution makes of it is
one number a channel again, but at the border, where it pads with zeros: there a map of few numbers corrects it. The
values are the same to the last bits of float32, and other precisions spend their steps on what does vary.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from alphacut_engines import constant_channels, watched
from alphacut_engines.flow import Flow, attributes, drop_unused
from alphacut_engines.recipe import ModelRecipe

_Numbers = NDArray[np.float64]

_PASS_ON = {"Resize", "MaxPool", "Concat"}
_BOUND = "/bound"


def recentre(network: onnx.ModelProto, recipe: ModelRecipe) -> onnx.ModelProto:
    """Return the network without the constants that can be moved, and ``network`` itself where there are none.

    Args:
        network: Optimised, float32; it stays as it is.
        recipe: How it is used.
    """
    flow = Flow(network.graph)
    relus = [node for node in network.graph.node if node.op_type == "Relu"]
    movable = [relu.output[0] for relu in relus if _is_movable(relu, flow)]
    constants = constant_channels.find(network, recipe, movable) if movable else {}
    return _Rewriting(network, flow, constants).run() if constants else network


def count(network: onnx.ModelProto) -> int:
    """Return how many layers of a network flow without a constant."""
    return sum(tensor.name.endswith(_BOUND) for tensor in network.graph.initializer)


def _is_movable(relu: onnx.NodeProto, flow: Flow) -> bool:
    """Is it behind a convolution, and do only convolutions use what becomes of its output?"""
    (before,) = relu.input
    convolution = flow.maker(before)
    if convolution is None or not _convolves(convolution, flow):
        return False
    return flow.users(before) == [relu] and before not in flow.outputs and _is_used_up(relu.output[0], flow)


def _is_used_up(tensor: str, flow: Flow) -> bool:
    users = [node for node in flow.users(tensor) if node.op_type != "Shape"]
    return tensor not in flow.outputs and bool(users) and all(_takes(node, tensor, flow) for node in users)


def _takes(node: onnx.NodeProto, tensor: str, flow: Flow) -> bool:
    if node.op_type in _PASS_ON:
        return tensor in _images(node) and _passes_on(node) and _is_used_up(node.output[0], flow)
    return node.input[0] == tensor and _convolves(node, flow)


def _passes_on(node: onnx.NodeProto) -> bool:
    known = attributes(node)
    if node.op_type == "Resize":  # cropping fills in a value of its own
        return known.get("coordinate_transformation_mode") != b"tf_crop_and_resize"
    return len(node.output) == 1 and (node.op_type != "Concat" or known["axis"] == 1)


def _convolves(node: onnx.NodeProto, flow: Flow) -> bool:
    known = attributes(node)
    plain = known.get("group", 1) == 1 and known.get("auto_pad", b"NOTSET") == b"NOTSET"
    return node.op_type == "Conv" and plain and flow.weights.keys() >= {*node.input[1:]}


class _Rewriting:
    """Goes through a copy of a network in order, and knows which constant each tensor has lost."""

    def __init__(self, network: onnx.ModelProto, flow: Flow, constants: Mapping[str, _Numbers]) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(network)
        self._graph = self._model.graph
        self._weights = flow.weights
        self._moved = constants
        self._before_relu = {
            node.input[0]: constants[node.output[0]] for node in network.graph.node if node.output[0] in constants
        }
        inputs = {name for node in network.graph.node if node.op_type in ("Conv", "Concat") for name in node.input}
        self._shapes = watched.shapes(network, sorted(inputs - self._weights.keys()), "optimise")
        self._lost: dict[str, _Numbers] = {}

    def run(self) -> onnx.ModelProto:
        nodes = list(self._graph.node)
        del self._graph.node[:], self._graph.value_info[:]
        for node in nodes:
            behind: list[onnx.NodeProto] = []
            if node.output[0] in self._moved:
                self._bound(node)
            elif node.op_type == "Conv":
                behind = self._convolve(node)
            elif node.op_type in _PASS_ON and self._lost.keys() & set(node.input):
                self._lost[node.output[0]] = np.concatenate([self._of(name) for name in _images(node)])
            self._graph.node.extend([node, *behind])
        drop_unused(self._graph)
        return self._model

    def _of(self, tensor: str) -> _Numbers:
        """Return what a tensor has lost, one number a channel."""
        lost = self._lost.get(tensor)
        return np.zeros(self._shapes[tensor][1]) if lost is None else lost

    def _bound(self, relu: onnx.NodeProto) -> None:
        """Make of the ReLU what it is without the constant: a bound at zero less the constant."""
        constant = self._moved[relu.output[0]]
        relu.op_type = "Max"
        relu.input.append(self._weight(relu.name + _BOUND, -constant.reshape(1, -1, 1, 1)))
        self._lost[relu.output[0]] = constant

    def _convolve(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Put into the bias what the input has lost and what the output is to lose; return what corrects the border."""
        kernel = numpy_helper.to_array(self._weights[node.input[1]]).astype(np.float64)
        arrives, leaves = self._lost.get(node.input[0]), self._before_relu.get(node.output[0])
        if arrives is None and leaves is None:
            return []
        bias = numpy_helper.to_array(self._weights[node.input[2]]).astype(np.float64) if len(node.input) > 2 else 0.0
        made = np.zeros(kernel.shape[:1] + kernel.shape[2:])
        if arrives is not None:
            made = np.einsum("oihw,i->ohw", kernel, arrives)
        bias = bias + made.sum(axis=(1, 2)) - (0.0 if leaves is None else leaves)
        del node.input[2:]
        node.input.append(self._weight(f"{node.name}/recentred", bias))
        return self._border(node, made) if made.any() and any(attributes(node).get("pads", ())) else []

    def _border(self, node: onnx.NodeProto, made: _Numbers) -> list[onnx.NodeProto]:
        """Take back what those points of the kernel made of the constant that lie beside the picture.

        Few rows and columns of that differ, those at the border and one of all inside: these are kept and repeated.
        """
        lengths = self._shapes[node.input[0]][2:]
        outside = (_outside(node, axis, lengths[axis], made.shape[1 + axis]) for axis in (0, 1))
        (rows, row_at), (columns, column_at) = (np.unique(one, axis=0, return_inverse=True) for one in outside)
        inside = np.einsum("oij,ri,cj->orc", made, 1 - rows, 1 - columns)
        small = self._weight(f"{node.name}/outside", (inside - made.sum(axis=(1, 2))[:, None, None])[None])
        output, before = node.output[0], f"{node.output[0]}/inside"
        tall, border = f"{node.name}/rows", f"{node.name}/border"
        node.output[0] = before
        return [
            helper.make_node("Gather", [small, self._weight(f"{tall}/at", row_at)], [tall], name=tall, axis=2),
            helper.make_node("Gather", [tall, self._weight(f"{border}/at", column_at)], [border], name=border, axis=3),
            helper.make_node("Add", [before, border], [output], name=f"{node.name}/corrected"),
        ]

    def _weight(self, name: str, value: _Numbers | NDArray[np.intp]) -> str:
        dtype = np.int64 if value.dtype.kind == "i" else np.float32
        self._graph.initializer.append(numpy_helper.from_array(value.astype(dtype), name))
        return name


def _images(node: onnx.NodeProto) -> list[str]:
    """Return the inputs whose channels are the output's, in order."""
    return list(node.input) if node.op_type == "Concat" else [node.input[0]]


def _outside(node: onnx.NodeProto, axis: int, length: int, points: int) -> _Numbers:
    """Return (positions of the output, points of the kernel): 1 where a point lies beside the picture, else 0."""
    known = attributes(node)
    before, after = known["pads"][axis], known["pads"][2 + axis]
    stride = known.get("strides", (1, 1))[axis]
    dilation = known.get("dilations", (1, 1))[axis]
    count = (length + before + after - dilation * (points - 1) - 1) // stride + 1
    at = stride * np.arange(count)[:, None] - before + dilation * np.arange(points)[None]
    return np.asarray((at < 0) | (at >= length), np.float64)
