"""The networks Alphacut knows: models as data.

Each recipe states all that lies between a picture and a mask. There are no defaults: a wrong mean or a missing
sigmoid yields masks that look almost right.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alphacut_core.contract import DEFAULT_PIPELINE
from alphacut_core.errors import EngineSourceError

Scaling = Literal["image_max", "255"]
Activation = Literal["none", "sigmoid"]

_BUNDLED_WEIGHTS = Path(__file__).parent / "weights"
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecipe:
    """What a network expects, what it gives, and where its weights come from.

    Attributes:
        name: How users call it.
        engine: Name of the model in Triton that serves it.
        architecture: Family, for reports.
        size: Side of the square input in pixels.
        mean: Subtracted from the scaled red, green and blue.
        std: Divides them afterwards.
        scaling: ``image_max`` divides by the largest value of the very image, as rembg does; ``255`` by 255.
        output: Position of the wanted map among the graph's outputs.
        activation: What the map still needs to lie in 0..1.
        licence: SPDX identifier of the weights' licence.
        weights: The ONNX file.
        sha256: Checksum of that file.
    """

    name: str
    engine: str
    architecture: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scaling: Scaling
    output: int
    activation: Activation
    licence: str
    weights: Path
    sha256: str

    def facts(self) -> dict[str, Any]:
        """Return what decides how the network is used, for manifests and reports."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in ("weights", "sha256")}


BUNDLED = ModelRecipe(
    name="alphacut-u2netp",
    engine=DEFAULT_PIPELINE.engine,
    architecture="u2netp",
    size=320,
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    scaling="image_max",
    output=0,
    activation="none",
    licence="Apache-2.0",
    weights=_BUNDLED_WEIGHTS / "alphacut-u2netp.onnx",
    sha256="f779c8336e116c2b4dc00f81ad23a2c7784cf0821bb086d8f032403b56e470c0",
)

RECIPES = {recipe.name: recipe for recipe in (BUNDLED,)}
_ALIASES = {"bundled": BUNDLED.name}


def find(name: str) -> ModelRecipe:
    """Return the recipe called ``name``.

    Raises:
        EngineSourceError: No such model.
    """
    recipe = RECIPES.get(_ALIASES.get(name, name))
    if recipe is None:
        raise EngineSourceError(f"got model {name!r}; known are {', '.join([*_ALIASES, *RECIPES])}")
    return recipe
