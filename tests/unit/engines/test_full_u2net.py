"""The full U²-Net, 44 million random weights in the shape of a published export, through every stage."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from alphacut_core.geometry import Pixels
from alphacut_engines import fuse, half, optimise, source, tensorrt_engine
from alphacut_engines.quantise import convolutions, quantise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import find

pytestmark = pytest.mark.slow


class Map(NamedTuple):
    name: str
    channels: int
    side: int


class Writer:
    """Writes U²-Net's parts as an old exporter did: opset 11, a batch of one in every size."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(value, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def conv(self, x: Map, channels: int, dilation: int = 1, kernel: int = 3, relu: bool = True) -> Map:
        shape = (channels, x.channels, kernel, kernel)
        deviation = np.sqrt(2 / (x.channels * kernel * kernel))
        weight = self.constant(self.rng.standard_normal(shape, np.float32) * np.float32(deviation))
        bias = self.constant(np.zeros(channels, np.float32))
        pad = dilation * (kernel // 2)
        name = self.add("Conv", [x.name, weight, bias], pads=[pad] * 4, dilations=[dilation] * 2)
        return Map(self.add("Relu", [name]) if relu else name, channels, x.side)

    def pool(self, x: Map) -> Map:
        name = self.add("MaxPool", [x.name], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        return Map(name, x.channels, -(-x.side // 2))

    def resize(self, x: Map, side: int) -> Map:
        if x.side == side:
            return x
        sizes = self.constant(np.array([1, x.channels, side, side], np.int64))
        nothing = self.constant(np.empty(0, np.float32))
        name = self.add("Resize", [x.name, nothing, nothing, sizes], mode="linear")
        return Map(name, x.channels, side)

    def concat(self, *maps: Map) -> Map:
        name = self.add("Concat", [x.name for x in maps], axis=1)
        return Map(name, sum(x.channels for x in maps), maps[0].side)

    def block(self, x: Map, depth: int, middle: int, out: int, *, flat: bool = False) -> Map:
        """A residual U-block; a flat one dilates where others pool."""
        entry = self.conv(x, out)
        levels = [self.conv(entry, middle)]
        for level in range(1, depth - 1):
            below = levels[-1] if flat else self.pool(levels[-1])
            levels.append(self.conv(below, middle, 2**level if flat else 1))
        inner = self.conv(levels[-1], middle, 2 ** (depth - 1) if flat else 2)
        for level in range(depth - 2, -1, -1):
            joined = self.concat(self.resize(inner, levels[level].side), levels[level])
            inner = self.conv(joined, middle if level else out, 2**level if flat else 1)
        return Map(self.add("Add", [inner.name, entry.name]), out, x.side)


@pytest.fixture(scope="module")
def recipe() -> ModelRecipe:
    return find("u2net")


@pytest.fixture(scope="module")
def published(recipe: ModelRecipe) -> onnx.ModelProto:
    writer, size = Writer(), recipe.size
    encoders = [(7, 32, 64), (6, 32, 128), (5, 64, 256), (4, 128, 512), (4, 256, 512), (4, 256, 512)]
    decoders = [(4, 256, 512), (4, 128, 256), (5, 64, 128), (6, 32, 64), (7, 16, 64)]
    x, levels = Map("input.1", 3, size), []
    for i, shape in enumerate(encoders):
        levels.append(writer.block(writer.pool(x) if i else x, *shape, flat=i >= 4))
        x = levels[-1]
    outs = [levels[-1]]
    for i, shape in enumerate(decoders):
        level = levels[4 - i]
        outs.append(writer.block(writer.concat(writer.resize(outs[-1], level.side), level), *shape, flat=i == 0))
    sides = [writer.resize(writer.conv(x, 1, relu=False), size) for x in reversed(outs)]
    fused = writer.conv(writer.concat(*sides), 1, kernel=1, relu=False)
    maps = [writer.add("Sigmoid", [x.name]) for x in (fused, *sides)]
    graph = helper.make_graph(
        writer.nodes,
        "u2net",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, size, size]) for name in maps],
        writer.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


@pytest.fixture(scope="module")
def network(
    published: onnx.ModelProto, recipe: ModelRecipe, tmp_path_factory: pytest.TempPathFactory
) -> onnx.ModelProto:
    path = tmp_path_factory.mktemp("u2net") / "u2net.onnx"
    onnx.save(published, path)
    assert 170e6 < path.stat().st_size < 180e6, "the size that is published"
    return optimise.optimise(source.load(path, recipe), recipe)


def pictures(size: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)


def test_an_export_of_batch_one_gives_masks_for_batches(network: onnx.ModelProto, recipe: ModelRecipe) -> None:
    masks, confidences = Reference(fuse.fuse(network, recipe), "test").masks(pictures(recipe.size))
    assert masks.shape == (2, recipe.size, recipe.size)
    assert masks.max() == 255
    assert confidences.shape == (2, 1)


@pytest.mark.parametrize(("precision", "size_bytes"), [("fp16", 88e6), ("int8", 44e6)])
def test_it_becomes_an_engine_for_every_gpu(
    network: onnx.ModelProto, recipe: ModelRecipe, precision: str, size_bytes: float
) -> None:
    trt = pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX has packages for x86-64 Linux only")
    if precision == "fp16":
        graph = fuse.fuse(half.to_half(network), recipe)
    else:
        fused = fuse.fuse(network, recipe)
        graph = quantise(fused, {node.input[0]: (-4.0, 4.0) for node in convolutions(fused)}, "int8")
    plan = tensorrt_engine.build(trt, graph, recipe.size, capabilities=tensorrt_engine.COMPUTE_CAPABILITIES)
    assert size_bytes < len(plan) < 2 * size_bytes
