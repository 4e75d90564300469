"""What lies between a picture and a mask, for one network: all of it stated, nothing assumed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from alphacut_core.errors import EngineSourceError

Scaling = Literal["image_max", "255"]
Activation = Literal["none", "sigmoid", "argmax"]
Stretch = Literal["min_max", "none"]

MIN_SIZE, MAX_SIZE = 32, 4096
"""Side in pixels of the square that a network works at."""

KNOWN = Path(__file__).with_name("weights")
"""Where the bundled weights lie, and what has been measured of published ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """Where weights are published.

    Attributes:
        url: Address of the ONNX file.
        file: Name to keep it under.
        size_bytes: Its size, or None where nobody states it.
        checksum: ``md5:...`` or ``sha256:...``, or None where nobody states it.
    """

    url: str
    file: str
    size_bytes: int | None
    checksum: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRecipe:
    """What a network expects, what it gives, and where its weights come from. There are no defaults.

    Attributes:
        name: How users call it.
        engine: Name of the model in Triton that serves it.
        architecture: Family, for reports.
        size: Side of the square input in pixels.
        mean: Subtracted from the scaled red, green and blue.
        std: Divides them afterwards.
        scaling: ``image_max`` divides by the largest value of the very image, as rembg does; ``255`` by 255.
        output: Position of the wanted map among the graph's outputs.
        channels: Channels of that map: 1, or the number of classes.
        activation: What the map still needs to lie in 0..1. ``argmax`` makes of several classes, the first of
            which is the background, the subject: every pixel where another class wins.
        stretch: ``min_max`` stretches each map to full contrast, ``none`` keeps its values.
        licence: SPDX identifier of the weights' licence, or ``LicenseRef-`` and a name.
        commercial: Whether that licence lets everybody use them for everything.
        weights: The ONNX file: in this package, to download, or None for the user's own.
    """

    name: str
    engine: str
    architecture: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scaling: Scaling
    output: int
    channels: int
    activation: Activation
    stretch: Stretch
    licence: str
    commercial: bool
    weights: Path | Download | None

    def known(self, kind: str) -> Path | None:
        """Return the file that came with the weights, or was made here of published ones; None where there is none.

        Args:
            kind: What it holds, as ``calibration.json`` or ``cpu.gate.json``.
        """
        if self.weights is None:
            return None
        path = self.weights if isinstance(self.weights, Path) else KNOWN / self.weights.file
        path = path.with_suffix(f".{kind}")
        return path if path.is_file() else None

    def facts(self) -> dict[str, Any]:
        """Return what decides how the network is used, for manifests and reports."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "weights"}


_CHOICES = {"scaling": Scaling, "activation": Activation, "stretch": Stretch}
_KINDS: Mapping[str, type] = {"name": str, "engine": str, "architecture": str, "licence": str, "commercial": bool}
_RANGES = {"size": (MIN_SIZE, MAX_SIZE), "output": (0, 1000), "channels": (1, 1000)}
_COLOUR_RANGES = {"mean": (-1e6, 1e6), "std": (1e-6, 1e6)}
"""What is beyond is a slip, and leaves float32 on its way."""


def of_file(path: Path) -> ModelRecipe:
    """Read the recipe of a user's own network: a JSON object with every field of ``ModelRecipe`` but ``weights``.

    Raises:
        EngineSourceError: Not JSON, or a field is missing, unknown, of another kind or out of range.
    """
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EngineSourceError(f"cannot read the recipe {path}: {error}; give a JSON object") from error
    fields = {field.name for field in dataclasses.fields(ModelRecipe)} - {"weights"}
    if not isinstance(facts, dict) or set(facts) != fields:
        got = set(facts) if isinstance(facts, dict) else set()
        raise EngineSourceError(
            f"the recipe {path} lacks {_listed(fields - got)} and has unknown {_listed(got - fields)}; "
            f"it needs exactly {_listed(fields)}"
        )
    for name, value in facts.items():
        _check(path, name, value)
    if (facts["channels"] > 1) != (facts["activation"] == "argmax"):
        raise EngineSourceError(
            f"the recipe {path} says channels = {facts['channels']} and activation = {facts['activation']!r}; several "
            "classes need argmax to become one mask, and argmax needs several"
        )
    facts["mean"], facts["std"] = tuple(facts["mean"]), tuple(facts["std"])
    return ModelRecipe(weights=None, **facts)


def _check(path: Path, name: str, value: object) -> None:
    if name in _CHOICES:
        allowed = get_args(_CHOICES[name])
        good, wanted = value in allowed, f"one of {', '.join(allowed)}"
    elif name in _COLOUR_RANGES:
        lowest, highest = _COLOUR_RANGES[name]
        numbers = value if isinstance(value, list) else []
        good = len(numbers) == 3 and all(_is_within(number, lowest, highest) for number in numbers)
        wanted = f"three numbers: red, green, blue, each from {lowest:g} to {highest:g}"
    elif name in _RANGES:
        lowest, highest = _RANGES[name]
        good = isinstance(value, int) and _is_within(value, lowest, highest)
        wanted = f"a whole number from {lowest} to {highest}"
    else:
        kind = _KINDS[name]
        good, wanted = isinstance(value, kind), f"of type {kind.__name__}"
    if not good:
        raise EngineSourceError(f"the recipe {path} says {name} = {value!r}; it must be {wanted}")


def _is_within(value: object, lowest: float, highest: float) -> bool:
    """Say whether a number of JSON is in a range: NaN is in none, and true is no number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
