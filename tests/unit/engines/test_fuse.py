"""The arithmetic inside the graph is rembg's, one picture at a time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from alphacut_core import codec, geometry
from alphacut_core.geometry import Pixels
from alphacut_engines import fuse
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.reference import Reference
from alphacut_engines.registry import BUNDLED

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.jpg"))


def numpy_input(picture: Pixels, recipe: ModelRecipe) -> NDArray[np.float32]:
    """rembg's ``BaseSession.normalize``: float64 until the last cast."""
    divisor = max(np.max(picture), 1e-6) if recipe.scaling == "image_max" else 255.0
    scaled = picture / divisor
    centred = (scaled - np.array(recipe.mean)) / np.array(recipe.std)
    return centred.transpose(2, 0, 1)[None].astype(np.float32)


def numpy_mask(map_: NDArray[np.float32]) -> Pixels:
    """rembg's ``predict`` behind the network: stretch, times 255, truncate."""
    stretched = (map_ - map_.min()) / (map_.max() - map_.min())
    return (stretched * 255).astype(np.uint8)


def random_pictures(n: int, size: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def before_and_fused(bundled: onnx.ModelProto) -> tuple[Reference, Reference]:
    return Reference(bundled, "test"), Reference(fuse.fuse(bundled, BUNDLED), "test")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_bundled_networks_masks_are_rembgs_but_for_rare_roundings(
    before_and_fused: tuple[Reference, Reference], path: Path
) -> None:
    network, fused = before_and_fused
    picture = geometry.to_square(codec.decode(path.read_bytes()), BUNDLED.size)
    map_ = network.run(numpy_input(picture, BUNDLED))[0][0, 0]
    (mask,), confidence = fused.masks(picture[None])
    difference = np.abs(mask.astype(int) - numpy_mask(map_))
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
    assert confidence[0, 0] == pytest.approx(map_.max(), abs=1e-5)


@pytest.mark.parametrize("scaling", ["image_max", "255"])
@pytest.mark.parametrize("activation", ["none", "sigmoid"])
@pytest.mark.parametrize("opset", [17, 18])
def test_each_recipes_arithmetic_matches_numpy(
    make_network, recipe: ModelRecipe, scaling: str, activation: str, opset: int
) -> None:
    recipe = dataclasses.replace(recipe, scaling=scaling, activation=activation)
    model = make_network(opset=opset, sigmoid=False)
    picture = random_pictures(1, recipe.size)[0] // 2
    map_ = Reference(model, "test").run(numpy_input(picture, recipe))[0][0, 0]
    if activation == "sigmoid":
        map_ = 1 / (1 + np.exp(-map_))
    (mask,), confidence = Reference(fuse.fuse(model, recipe), "test").masks(picture[None])
    assert np.abs(mask.astype(int) - numpy_mask(map_)).max() <= 1
    assert confidence[0, 0] == pytest.approx(map_.max(), rel=1e-5)


def test_a_constant_map_becomes_an_empty_mask_that_keeps_its_confidence(make_network, recipe: ModelRecipe) -> None:
    flat = fuse.fuse(make_network(weight=0.0, bias=2.0), recipe)
    masks, confidences = Reference(flat, "test").masks(random_pictures(2, recipe.size))
    assert not masks.any()
    np.testing.assert_allclose(confidences, np.full((2, 1), 1 / (1 + np.exp(-2.0))), rtol=1e-6)
    # What a NaN becomes in uint8 is each runtime's own affair, so there must be none before the cast.
    flat.graph.output.append(helper.make_tensor_value_info("back/scaled", TensorProto.FLOAT, None))
    assert not Reference(flat, "test").run(random_pictures(2, recipe.size))[2].any()


def test_an_unstretched_map_keeps_its_values_within_bounds(make_network, recipe: ModelRecipe) -> None:
    recipe = dataclasses.replace(recipe, stretch="none")
    picture = random_pictures(1, recipe.size)[0]
    model = make_network(sigmoid=False)
    map_ = Reference(model, "test").run(numpy_input(picture, recipe))[0][0, 0]
    assert map_.min() < 0, "the test is worth something"
    assert map_.max() > 1, "the test is worth something"
    (mask,), _ = Reference(fuse.fuse(model, recipe), "test").masks(picture[None])
    assert np.abs(mask.astype(int) - (np.clip(map_, 0, 1) * 255).astype(np.uint8)).max() <= 1


def test_of_several_classes_all_but_the_first_are_subject(make_network, recipe: ModelRecipe) -> None:
    recipe = dataclasses.replace(recipe, channels=4, activation="argmax", stretch="none")
    picture = random_pictures(1, recipe.size)[0]
    model = make_network(sigmoid=False, channels=4)
    logits = Reference(model, "test").run(numpy_input(picture, recipe))[0][0]
    shares = np.exp(logits) / np.exp(logits).sum(0)
    masks, confidences = Reference(fuse.fuse(model, recipe), "test").masks(np.stack([picture, picture]))
    np.testing.assert_array_equal(masks[1], np.where(logits.argmax(0) != 0, 255, 0))
    assert 0 < (masks[1] > 0).mean() < 1, "the test is worth something"
    assert confidences[1, 0] == pytest.approx((1 - shares[0]).max(), rel=1e-5)


def test_a_black_picture_has_a_mask(make_network, recipe: ModelRecipe) -> None:
    fused = Reference(fuse.fuse(make_network(), recipe), "test")
    masks, confidences = fused.masks(np.zeros((1, recipe.size, recipe.size, 3), np.uint8))
    assert np.isfinite(confidences).all()
    assert masks.shape == (1, recipe.size, recipe.size)


def test_pictures_of_one_batch_do_not_influence_each_other(make_network, recipe: ModelRecipe) -> None:
    fused = Reference(fuse.fuse(make_network(), recipe), "test")
    pictures = random_pictures(3, recipe.size)
    pictures[1] //= 8  # far darker, so another maximum and another stretch than its neighbours
    together, confidences = fused.masks(pictures)
    for i, picture in enumerate(pictures):
        alone, confidence = fused.masks(picture[None])
        np.testing.assert_array_equal(together[i], alone[0])
        np.testing.assert_array_equal(confidences[i], confidence[0])


def test_a_network_whose_tensors_have_the_contracts_names_is_fused(make_network, recipe: ModelRecipe) -> None:
    model = make_network()
    model.graph.input[0].name = model.graph.node[0].input[0] = "MASK"
    model.graph.output[0].name = model.graph.node[1].output[0] = "IMAGE"
    fused = fuse.fuse(model, recipe)
    onnx.checker.check_model(fused, full_check=True)
    assert [value.name for value in fused.graph.input] == ["IMAGE"]
    assert [value.name for value in fused.graph.output] == ["MASK", "CONFIDENCE"]
