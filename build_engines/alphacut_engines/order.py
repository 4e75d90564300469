"""What a user asked to be built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alphacut_engines.recipe import ModelRecipe

VERSION = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What to build and where to put it.

    Attributes:
        recipe: How the network is used.
        source: The plain ONNX file.
        repository: Triton's model repository.
        target: ``cpu`` or ``tensorrt_rtx``.
        precision: ``auto``, or the one to start from: those below it on the ladder take its place if it fails.
        gate: Folder of at least 100 photographs to judge engines by.
        calibration: Folder of photographs that INT8 is fitted to.
        force: Build even if the same build is installed.
    """

    recipe: ModelRecipe
    source: Path
    repository: Path
    target: str
    precision: str
    gate: Path | None
    calibration: Path | None
    force: bool

    @property
    def folder(self) -> Path:
        """Where the engine goes: the model's version directory, or a folder in it for other targets than the CPU."""
        version = self.repository / self.recipe.engine / VERSION
        return version if self.target == "cpu" else version / self.target
