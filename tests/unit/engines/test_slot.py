"""What an installed network may be called, and which tiers are meant."""

from __future__ import annotations

import dataclasses

import pytest

from alphacut_core import tiers
from alphacut_core.errors import EngineSourceError
from alphacut_core.tiers import MODES
from alphacut_engines import network, slot
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.registry import BUNDLED, RECIPES


def test_every_known_network_has_a_name_of_its_own_on_the_wire() -> None:
    names = [slot.assign(recipe, None).engine for recipe in RECIPES.values()]
    assert len(set(names)) == len(names)
    models = [tiers.pipeline(name, mode, 320).engine for name in names for mode in MODES]
    assert len(set(models)) == len(models)


def test_the_default_network_is_the_bundled_one_unless_somebody_says_so() -> None:
    assert BUNDLED.engine == tiers.DEFAULT_MODEL
    assert slot.assign(RECIPES["u2netp"], None).engine != tiers.DEFAULT_MODEL
    assert slot.assign(RECIPES["u2netp"], "u2netp").engine == tiers.DEFAULT_MODEL


def test_an_own_file_takes_the_default_networks_place_only_by_name() -> None:
    own = network.identify("models/U2NETP.onnx", "u2netp", None)
    with pytest.raises(EngineSourceError, match=r"U2NETP would take the place of the default .*pass --name u2netp"):
        slot.assign(own, None)
    assert slot.assign(own, "u2netp").engine == tiers.DEFAULT_MODEL


@pytest.mark.parametrize(
    "name", ["remove_background_x", "preprocess_320", "postprocess", "u2net_lite", "A", "a/b", "..", ""]
)
def test_a_name_that_meets_another_models_is_refused(recipe: ModelRecipe, name: str) -> None:
    with pytest.raises(EngineSourceError, match="pass --name"):
        slot.assign(recipe, name)
    with pytest.raises(EngineSourceError, match="pass --name"):
        slot.assign(dataclasses.replace(recipe, engine=name), None)


def test_tiers_come_once_each_largest_first() -> None:
    assert slot.tiers_of(["lite", "full", "lite"]) == ["full", "lite"]
    assert slot.tiers_of(["all"]) == list(MODES)


def test_a_tier_too_small_for_any_network_is_refused() -> None:
    small = dataclasses.replace(BUNDLED, size=32)
    assert slot.at_tier(small, "full") == small
    with pytest.raises(EngineSourceError, match=r"works at 32 pixels, and lite would be 0; at least 32 .*--tier full"):
        slot.at_tier(small, "lite")
