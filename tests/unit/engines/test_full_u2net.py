"""The full U²-Net, 44 million weights in the shape of a published export, through every stage."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from alphacut_core.geometry import Pixels
from alphacut_engines import fuse, half, optimise, source, tensorrt_engine
from alphacut_engines.quantise import convolutions, quantise
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED, find
from alphacut_loadtest.bench import full_u2net

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipe() -> ModelRecipe:
    return find("u2net")


@pytest.fixture(scope="module")
def published() -> onnx.ModelProto:
    return full_u2net.widen(onnx.load(BUNDLED.weights))


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
