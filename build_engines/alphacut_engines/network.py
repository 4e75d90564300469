"""Which network a user means: a name in the registry, or a file of their own and how it is used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from alphacut_core.errors import EngineSourceError
from alphacut_engines import recipe as recipes
from alphacut_engines import registry
from alphacut_engines.fetch import Fetcher, Progress, matches
from alphacut_engines.recipe import Download, ModelRecipe


def identify(model: str, like: str | None, recipe_file: Path | None) -> ModelRecipe:
    """Return the recipe for what was typed.

    Args:
        model: A name in the registry, or the path of an ONNX file.
        like: Name in the registry of a network that the file is used like.
        recipe_file: The file's own recipe in JSON.

    Raises:
        EngineSourceError: An unknown name, or a file without one recipe that says how it is used.
    """
    own = model.endswith(".onnx")
    if own != ((like is None) != (recipe_file is None)):
        raise EngineSourceError(
            f"got {model!r} with --like {like} and --recipe {recipe_file}; your own .onnx file needs exactly one of "
            "them, because nothing in it says how pictures are normalised; a known model needs none"
        )
    if recipe_file is not None:
        return recipes.of_file(recipe_file)
    if like is not None:
        alike = registry.find(like)
        own_name = Path(model).stem
        return dataclasses.replace(
            alike, name=own_name, engine=own_name.lower(), licence="NOASSERTION", commercial=True, weights=None
        )
    return registry.find(model)


def locate(recipe: ModelRecipe, model: str, from_file: Path | None, fetcher: Fetcher, progress: Progress) -> Path:
    """Return the ONNX file on this machine, loading it if need be.

    Args:
        recipe: What ``identify`` returned for ``model``.
        model: What was typed.
        from_file: Published weights that were loaded by other means.
        fetcher: Loads published weights.
        progress: Called with bytes so far and in all.

    Raises:
        EngineSourceError: It cannot be had, is another file than the published one, or ``from_file`` is given for
            a network that is not published.
    """
    weights = recipe.weights
    if from_file is not None and not isinstance(weights, Download):
        raise EngineSourceError(
            f"got --from-file {from_file} for {model}, which is not loaded from anywhere; to build {from_file} itself "
            "give its path as MODEL, with --like or --recipe"
        )
    if weights is None:
        return Path(model)
    if isinstance(weights, Path):
        return weights
    if from_file is None:
        return fetcher.fetch(weights, progress)
    if not (from_file.is_file() and matches(from_file, weights)):
        checksum = f" with checksum {weights.checksum}" if weights.checksum else ""
        raise EngineSourceError(
            f"{from_file} is not {weights.file}{checksum}; load it from {weights.url}, or "
            f"build it as your own network with --like {recipe.name}"
        )
    return from_file
