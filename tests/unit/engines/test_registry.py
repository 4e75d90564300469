"""The known networks are whole, a user's own is described in full, and licences are asked about."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError
from alphacut_engines import network, recipe, registry
from alphacut_engines.recipe import Download, ModelRecipe


def test_every_promised_network_is_known() -> None:
    assert set(registry.RECIPES) == {
        "alphacut-u2netp",
        "u2net",
        "u2netp",
        "u2net_human_seg",
        "u2net_cloth_seg",
        "silueta",
        "isnet-general-use",
        "isnet-anime",
        "rmbg-1.4",
        "birefnet-general-lite",
        "modnet",
    }
    assert registry.find("bundled") is registry.BUNDLED


@pytest.mark.parametrize("known", registry.RECIPES.values(), ids=lambda known: known.name)
def test_a_known_networks_recipe_makes_sense(known: ModelRecipe) -> None:
    assert all(0 < std <= 1 for std in known.std)
    assert (known.channels > 1) == (known.activation == "argmax")
    assert known.size % 32 == 0
    if known.engine == DEFAULT_PIPELINE.engine:
        assert known.size == DEFAULT_PIPELINE.size, "it would not fit where it is installed"
    if isinstance(known.weights, Download):
        assert known.weights.url.startswith("https://")
        assert known.weights.checksum is None or known.weights.checksum.split(":")[0] in ("md5", "sha256")
    else:
        assert known.weights is not None
        assert known.weights.is_file()


def test_a_recipe_without_one_of_its_fields_cannot_be_made() -> None:
    for field in dataclasses.fields(ModelRecipe):
        facts = {name: value for name, value in vars_of(registry.BUNDLED).items() if name != field.name}
        with pytest.raises(TypeError, match=field.name):
            ModelRecipe(**facts)


def test_weights_that_are_not_free_are_refused_until_their_licence_is_named() -> None:
    rmbg = registry.find("rmbg-1.4")
    with pytest.raises(EngineSourceError, match=r"pass --accept-licence LicenseRef-BRIA-RMBG-1\.4"):
        registry.check_licence(rmbg, None)
    with pytest.raises(EngineSourceError):
        registry.check_licence(rmbg, "Apache-2.0")
    registry.check_licence(rmbg, "LicenseRef-BRIA-RMBG-1.4")
    registry.check_licence(registry.BUNDLED, None)


def test_a_users_recipe_is_read(tmp_path: Path) -> None:
    wanted = dataclasses.replace(registry.BUNDLED, name="mine", engine="mine", weights=None)
    assert recipe.of_file(written(tmp_path, wanted.facts())) == wanted


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ModelRecipe) if field.name != "weights"])
def test_a_users_recipe_lacking_a_field_is_refused(tmp_path: Path, field: str) -> None:
    facts = registry.BUNDLED.facts()
    del facts[field]
    with pytest.raises(EngineSourceError, match=f"lacks {field} and has unknown nothing"):
        recipe.of_file(written(tmp_path, facts))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "320"),
        ("size", True),
        ("size", 31),
        ("size", 4097),
        ("output", -1),
        ("channels", 0),
        ("mean", [0.5, 0.5]),
        ("mean", [math.nan] * 3),
        ("mean", [True] * 3),
        ("mean", [0.5, 0.5, 10**400]),
        ("std", [0, 0.5, 0.5]),
        ("std", [-1, 1, 1]),
        ("std", [1e-60] * 3),
        ("std", [math.inf] * 3),
        ("std", 1.0),
        ("std", ["a", "b", "c"]),
        ("scaling", "max"),
        ("activation", None),
        ("stretch", "yes"),
        ("output", "d0"),
        ("commercial", "no"),
    ],
)
def test_a_users_recipe_with_a_wrong_value_is_refused(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(EngineSourceError, match=f"says {field} = "):
        recipe.of_file(written(tmp_path, {**registry.BUNDLED.facts(), field: value}))


@pytest.mark.parametrize(("channels", "activation"), [(1, "argmax"), (2, "none")])
def test_argmax_and_several_classes_need_each_other(tmp_path: Path, channels: int, activation: str) -> None:
    facts = {**registry.BUNDLED.facts(), "channels": channels, "activation": activation}
    with pytest.raises(EngineSourceError, match=f"says channels = {channels} and activation = '{activation}'"):
        recipe.of_file(written(tmp_path, facts))


@pytest.mark.parametrize("content", ["", "[1]", "not JSON", "{}"])
def test_what_is_no_recipe_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(EngineSourceError, match=r"recipe\.json"):
        recipe.of_file(path)


def test_an_own_file_is_used_like_a_known_network() -> None:
    own = network.identify("models/mine.onnx", "isnet-anime", None)
    anime = registry.find("isnet-anime")
    assert (own.name, own.mean, own.std, own.size) == ("mine", anime.mean, anime.std, anime.size)
    assert own.weights is None


@pytest.mark.parametrize(
    ("model", "like", "described"),
    [("mine.onnx", None, False), ("mine.onnx", "u2net", True), ("u2net", "u2netp", False), ("u2net", None, True)],
)
def test_an_own_file_needs_exactly_one_recipe_and_a_known_network_none(
    tmp_path: Path, model: str, like: str | None, described: bool
) -> None:
    path = written(tmp_path, registry.BUNDLED.facts()) if described else None
    with pytest.raises(EngineSourceError, match="exactly one"):
        network.identify(model, like, path)


def test_published_weights_loaded_by_other_means_are_checked(tmp_path: Path) -> None:
    wrong = tmp_path / "u2net.onnx"
    wrong.write_bytes(b"another file")
    with pytest.raises(EngineSourceError, match=r"checksum md5:60024c5c.*--like u2net"):
        network.locate(registry.find("u2net"), "u2net", wrong, fetcher=None, progress=None)


@pytest.mark.parametrize("model", ["bundled", "mine.onnx"])
def test_published_weights_for_a_network_that_is_not_published_are_refused(tmp_path: Path, model: str) -> None:
    wanted = network.identify(model, "u2net" if model.endswith(".onnx") else None, None)
    with pytest.raises(EngineSourceError, match=f"got --from-file .*for {model}, which is not loaded from anywhere"):
        network.locate(wanted, model, tmp_path / "junk.onnx", fetcher=None, progress=None)


def vars_of(known: ModelRecipe) -> dict[str, Any]:
    return {field.name: getattr(known, field.name) for field in dataclasses.fields(known)}


def written(folder: Path, facts: dict[str, Any]) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(facts))
    return path
