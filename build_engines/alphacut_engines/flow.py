"""Where the tensors of a graph come from and go to."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Return a node's attributes by name, as Python's values; text is bytes."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


class Flow:
    """The connections of one graph, as they are at the moment."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        self.outputs = {output.name for output in graph.output}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in dict.fromkeys(node.input):
                self._users.setdefault(name, []).append(node)

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        """Return the node that a tensor comes from, or None for a weight or an input of the graph."""
        return self._maker.get(tensor)

    def users(self, tensor: str) -> list[onnx.NodeProto]:
        """Return the nodes that a tensor goes to."""
        return self._users.get(tensor, [])


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove what no output depends on any more."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    constants = [constant for constant in graph.initializer if constant.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)
