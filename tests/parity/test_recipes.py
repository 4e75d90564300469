"""Every recipe that rembg has too is rembg's: arithmetic, address and checksum."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from alphacut_core import geometry
from alphacut_engines import fuse, registry
from alphacut_engines.recipe import Download, ModelRecipe
from alphacut_engines.reference import Reference

SHARED = [
    "u2net",
    "u2netp",
    "u2net_human_seg",
    "u2net_cloth_seg",
    "silueta",
    "isnet-general-use",
    "isnet-anime",
    "birefnet-general-lite",
]


@pytest.fixture(params=SHARED)
def recipe(request: pytest.FixtureRequest) -> ModelRecipe:
    return registry.find(request.param)


@pytest.fixture
def session_class(rembg: ModuleType, recipe: ModelRecipe) -> Any:
    from rembg.sessions import sessions

    return sessions[recipe.name]


def network(recipe: ModelRecipe) -> onnx.ModelProto:
    """One convolution with the input and output that the recipe describes."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 0.3, (recipe.channels, 3, 5, 5)).astype(np.float32)
    shapes = [["batch", channels, recipe.size, recipe.size] for channels in (3, recipe.channels)]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["input", "kernel"], ["logits"], pads=[2, 2, 2, 2]),
            # rembg adds the sigmoid itself where the network has none.
            helper.make_node("Identity" if recipe.activation == "sigmoid" else "Sigmoid", ["logits"], ["map"]),
        ],
        "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shapes[0])],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, shapes[1])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_recipes_masks_are_rembgs(session_class: Any, recipe: ModelRecipe) -> None:
    model = network(recipe)
    session = session_class.__new__(session_class)
    session.inner_session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 200, (96, 128, 3), dtype=np.uint8))
    picture = picture.resize((recipe.size, recipe.size), Image.Resampling.BICUBIC)
    # The category counts for the clothes only: all of them together.
    (rembgs,) = session.predict(picture, cc="attire")
    wanted = np.asarray(rembgs)
    (mask,), _ = Reference(fuse.fuse(model, recipe), "test").masks(geometry.to_square(picture, recipe.size)[None])
    difference = np.abs(mask.astype(int) - wanted)
    assert wanted.std() > 10, "the test is worth something"
    assert (difference > 0).mean() <= 0.001
    assert difference.max() <= (255 if recipe.activation == "argmax" else 1), "a tie may fall either way"


def test_address_and_checksum_are_rembgs(
    session_class: Any, recipe: ModelRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    asked: list[tuple[str, str]] = []
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    monkeypatch.setattr(pooch, "retrieve", lambda url, checksum, **_: asked.append((url, checksum)))
    session_class.download_models()
    assert isinstance(recipe.weights, Download)
    assert asked == [(recipe.weights.url, recipe.weights.checksum)]
