"""Full U²-Net, 44 million weights, widened from a small one: full work, and masks that can be judged.

The published weights cannot be had everywhere, and speed does not depend on what weights say. Masks of random ones
would be noise, though, on which nothing can be compared. Here every channel of the small network has several copies,
and each weight is split among the copies that it reads from, in random shares: the same function, no weight zero.
The method is Net2WiderNet of Chen, Goodfellow, Shlens: Net2Net, ICLR 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

SIZE = 320
_OPSET, _IR_VERSION = 11, 6  # of the published export
_ENCODERS = ((7, 32, 64), (6, 32, 128), (5, 64, 256), (4, 128, 512), (4, 256, 512), (4, 256, 512))
_DECODERS = ((4, 256, 512), (4, 128, 256), (5, 64, 128), (6, 32, 64), (7, 16, 64))
_FLAT = 4  # from this encoder on, and in the decoder that answers it, blocks dilate where others pool
_LEAST_SHARE, _LARGEST_SHARE = 0.5, 1.5  # of an even split

Weights = NDArray[np.float32]


class _Map(NamedTuple):
    """A tensor in the graph, square; each of its channels is a copy of the small network's in ``copied``."""

    name: str
    side: int
    copied: NDArray[np.int64]

    @property
    def channels(self) -> int:
        return len(self.copied)


def widen(small: onnx.ModelProto) -> onnx.ModelProto:
    """Return full U²-Net as it was once exported: opset 11, a batch of one written into every size.

    Args:
        small: U²-Net-small with biases in its convolutions, which come in the order of execution.

    Returns:
        A network that takes float32 (1, 3, 320, 320) and gives seven maps of (1, 1, 320, 320), the first of which
        is the small network's up to rounding. The same at every call.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415  an extra that only this contender needs

    writer = _Writer(small)
    x, levels = _Map("input", SIZE, np.arange(3)), []
    for number, shape in enumerate(_ENCODERS):
        levels.append(writer.block(writer.pool(x) if number else x, *shape, flat=number >= _FLAT))
        x = levels[-1]
    outs = [levels[-1]]
    for number, (shape, level) in enumerate(zip(_DECODERS, reversed(levels[:-1]), strict=True)):
        joined = writer.concat(writer.resize(outs[-1], level.side), level)
        outs.append(writer.block(joined, *shape, flat=number == 0))
    sides = [writer.resize(writer.conv(x, 1, relu=False), SIZE) for x in reversed(outs)]
    fused = writer.conv(writer.concat(*sides), 1, relu=False)
    maps = [writer.add("Sigmoid", [x.name]) for x in (fused, *sides)]
    graph = helper.make_graph(
        writer.nodes,
        "u2net",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, SIZE, SIZE]) for name in maps],
        writer.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


class _Writer:
    """Adds the parts of U²-Net to a graph, in the order of execution."""

    def __init__(self, small: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._small = _convolutions(small)
        self._chance = np.random.default_rng(0)

    def add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper  # noqa: PLC0415

        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def conv(self, x: _Map, channels: int, dilation: int = 1, *, relu: bool = True) -> _Map:
        """Add the next convolution of the small network, widened."""
        weight, bias = next(self._small)
        n_small, n_in, kernel = weight.shape[:3]
        n_expected = int(x.copied.max()) + 1
        if n_in != n_expected:
            raise ValueError(f"got a convolution of {n_in} channels where U²-Net-small has {n_expected}")
        copied = np.arange(channels) % n_small
        wide = weight[copied][:, x.copied] * self._shares(channels, x.copied)[:, :, None, None]
        inputs = [x.name, self._constant(wide), self._constant(bias[copied])]
        name = self.add("Conv", inputs, pads=[dilation * (kernel // 2)] * 4, dilations=[dilation] * 2)
        return _Map(self.add("Relu", [name]) if relu else name, x.side, copied)

    def pool(self, x: _Map) -> _Map:
        """Halve the side."""
        name = self.add("MaxPool", [x.name], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        return x._replace(name=name, side=-(-x.side // 2))

    def resize(self, x: _Map, side: int) -> _Map:
        """Enlarge to a side."""
        if x.side == side:
            return x
        sizes = self._constant(np.array([1, x.channels, side, side], np.int64))
        nothing = self._constant(np.empty(0, np.float32))
        return x._replace(name=self.add("Resize", [x.name, nothing, nothing, sizes], mode="linear"), side=side)

    def concat(self, *maps: _Map) -> _Map:
        """Put maps behind each other."""
        starts = np.cumsum([0, *(x.copied.max() + 1 for x in maps)])
        copied = np.concatenate([start + x.copied for start, x in zip(starts, maps, strict=False)])
        return _Map(self.add("Concat", [x.name for x in maps], axis=1), maps[0].side, copied)

    def block(self, x: _Map, depth: int, middle: int, out: int, *, flat: bool) -> _Map:
        """Add a residual U-block; a flat one dilates where others pool."""
        entry = self.conv(x, out)
        levels = [self.conv(entry, middle)]
        for level in range(1, depth - 1):
            below = levels[-1] if flat else self.pool(levels[-1])
            levels.append(self.conv(below, middle, 2**level if flat else 1))
        inner = self.conv(levels[-1], middle, 2 ** (depth - 1) if flat else 2)
        for level in range(depth - 2, -1, -1):
            joined = self.concat(self.resize(inner, levels[level].side), levels[level])
            inner = self.conv(joined, middle if level else out, 2**level if flat else 1)
        return entry._replace(name=self.add("Add", [inner.name, entry.name]))

    def _shares(self, channels: int, copied: NDArray[np.int64]) -> Weights:
        """Return float32 (channels, len(copied)): what each copy contributes to each channel; copies add up to 1."""
        parts = self._chance.uniform(_LEAST_SHARE, _LARGEST_SHARE, (channels, len(copied))).astype(np.float32)
        of_copied = np.eye(int(copied.max()) + 1, dtype=np.float32)[copied]
        shares: Weights = parts / (parts @ of_copied)[:, copied]
        return shares

    def _constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper  # noqa: PLC0415

        self.weights.append(numpy_helper.from_array(value, f"w{len(self.weights)}"))
        return self.weights[-1].name


def _convolutions(network: onnx.ModelProto) -> Iterator[tuple[Weights, Weights]]:
    """Yield weight and bias of every convolution."""
    from onnx import numpy_helper  # noqa: PLC0415

    known = {tensor.name: tensor for tensor in network.graph.initializer}
    for node in network.graph.node:
        if node.op_type == "Conv":
            weight, bias = (numpy_helper.to_array(known[name]) for name in node.input[1:3])
            yield weight, bias
