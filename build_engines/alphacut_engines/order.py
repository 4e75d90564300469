"""What a user asked to be built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alphacut_core import tiers
from alphacut_core.contract import Pipeline
from alphacut_core.tiers import Mode
from alphacut_engines.recipe import ModelRecipe

DEFAULT_LEVEL = 3
"""TensorRT's own choice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to build and where to put it.

    Attributes:
        recipe: How the network is used, at the size of the tier.
        tier: Name of that size.
        native_size: Side in pixels of the square that the network was made for.
        source: The plain ONNX file.
        repository: Triton's model repository.
        target: What kind of machine it is for; see ``target.TARGETS``.
        precision: ``auto``, or the one to start from: those below it on the ladder take its place if it fails.
        gate: Folder of at least 100 photographs to judge engines by.
        calibration: Folder of photographs that INT8 is fitted to.
        force: Build even if the same build is installed.
        level: How long TensorRT looks for faster kernels, from 0 to 5.
    """

    recipe: ModelRecipe
    tier: Mode
    native_size: int
    source: Path
    repository: Path
    target: str
    precision: str
    gate: Path | None
    calibration: Path | None
    force: bool
    level: int = DEFAULT_LEVEL

    @property
    def pipeline(self) -> Pipeline:
        """The Triton models that will serve it."""
        return tiers.pipeline(self.recipe.engine, self.tier, self.native_size)

    @property
    def engine(self) -> str:
        """Name of the Triton model that is built."""
        return self.pipeline.engine

    def evidence(self, target: str) -> str:
        """Return the name of the report beside bundled weights that counts for this tier of theirs."""
        return target if self.tier == "full" else f"{target}.{self.tier}"
