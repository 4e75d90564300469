"""Real TensorRT-RTX engines, built without a GPU, typed as their graphs are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from alphacut_core.agreement import BOUNDS
from alphacut_core.errors import EngineBuildError
from alphacut_core.installed import Installed
from alphacut_engines import calibration, fuse, half, pipeline, tensorrt_engine
from alphacut_engines.order import Order
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED
from alphacut_engines.target import TARGETS, Network

trt: Any = pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX has packages for x86-64 Linux only")


def types(graph: onnx.ModelProto) -> set[str]:
    """The types that TensorRT gives to what its convolutions write."""
    log = tensorrt_engine.make_log(trt)
    builder = trt.Builder(log)
    network = tensorrt_engine.parse(trt, builder, graph, log)
    layers = (network.get_layer(i) for i in range(network.num_layers))
    return {layer.get_output(0).dtype.name for layer in layers if layer.type == trt.LayerType.CONVOLUTION}


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_bundled_network_becomes_an_engine_for_every_gpu(bundled: onnx.ModelProto, precision: str) -> None:
    fitted = calibration.read(BUNDLED.weights.with_suffix(".calibration.json"))
    network = Network(BUNDLED, bundled, fuse.fuse(bundled, BUNDLED))
    graph = TARGETS["tensorrt_rtx"].graph(precision, network, fitted)
    capabilities = tensorrt_engine.COMPUTE_CAPABILITIES
    assert len(tensorrt_engine.build(trt, graph, BUNDLED.size, capabilities=capabilities)) > 1_000_000
    assert types(graph) == {"FLOAT" if precision == "fp32" else "HALF"}
    casts = sum(node.op_type == "Cast" for node in graph.graph.node)
    assert casts == (2 if precision == "fp32" else 4), "types change at the ends and nowhere in between"
    quantised = sum(node.op_type == "QuantizeLinear" for node in graph.graph.node)
    assert (quantised > 100) == (precision == "int8")


def test_half_precision_keeps_input_output_and_masks(make_network, recipe: ModelRecipe) -> None:
    network = make_network()
    halved = half.to_half(network)
    assert halved.graph.input[0].type == network.graph.input[0].type
    pictures = np.random.default_rng(0).integers(0, 256, (4, recipe.size, recipe.size, 3), dtype=np.uint8)
    wanted, _ = Reference(fuse.fuse(network, recipe), "test").masks(pictures)
    masks, _ = Reference(fuse.fuse(halved, recipe), "test").masks(pictures)
    assert np.abs(masks.astype(int) - wanted).mean() < BOUNDS["fp16"].mean_difference
    assert {tensor.data_type for tensor in halved.graph.initializer} == {onnx.TensorProto.FLOAT16}


def test_an_engine_is_installed_beside_the_cpus(
    make_order: Callable[..., Order], serving: Callable[[Order], Installed]
) -> None:
    cpu, rtx = (make_order(target=target) for target in ("cpu", "tensorrt_rtx"))
    for order in (cpu, rtx):
        pipeline.build(order, lambda step: None)
    assert {path.name for path in serving(cpu).folder.iterdir()} >= {"model.onnx", "manifest.json", "probe.png"}
    assert {path.name for path in serving(rtx).folder.iterdir()} >= {"model.engine", "manifest.json", "probe.png"}
    manifest = serving(rtx).manifest
    assert manifest["target"] == "tensorrt_rtx"
    assert manifest["time_ms"] is None, "it cannot run without a GPU"
    assert "tensorrt-rtx-cu13-bindings" in manifest["tools"]


def test_with_photographs_half_precision_is_taken_by_itself(
    make_order: Callable[..., Order],
    make_photographs: Callable[[str, int], Path],
    serving: Callable[[Order], Installed],
) -> None:
    order = make_order(target="tensorrt_rtx", precision="auto", gate=make_photographs("gate", 100))
    pipeline.build(order, lambda step: None)
    assert serving(order).manifest["precision"] == "fp16"


def test_an_engine_for_one_gpu_is_smaller_than_one_for_all(make_network, recipe: ModelRecipe) -> None:
    graph = fuse.fuse(make_network(), recipe)
    chosen = (["SM75"], tensorrt_engine.COMPUTE_CAPABILITIES)
    one, every = (tensorrt_engine.build(trt, graph, recipe.size, capabilities=each) for each in chosen)
    assert 0 < len(one) < len(every)


def test_a_gpu_that_this_version_does_not_know_is_named(make_network, recipe: ModelRecipe) -> None:
    with pytest.raises(EngineBuildError, match=r"'SM42'; this TensorRT-RTX knows .*SM89"):
        tensorrt_engine.build(trt, fuse.fuse(make_network(), recipe), recipe.size, capabilities=["SM42"])


def test_an_operator_that_tensorrt_lacks_is_said_in_its_words(make_network, recipe: ModelRecipe) -> None:
    model = fuse.fuse(make_network(), recipe)
    model.graph.node[1].CopyFrom(helper.make_node("NoSuchOperator", *[[n] for n in ("front/float", "front/planes")]))
    with pytest.raises(EngineBuildError, match=r"parser refuses the graph \(NoSuchOperator"):
        tensorrt_engine.build(trt, model, recipe.size, capabilities=["SM89"])


def test_the_graph_may_not_fix_another_size(make_network, recipe: ModelRecipe) -> None:
    fused = fuse.fuse(make_network(), recipe)
    with pytest.raises(EngineBuildError, match="stage engine"):
        tensorrt_engine.build(trt, fused, 64, capabilities=["SM89"])
