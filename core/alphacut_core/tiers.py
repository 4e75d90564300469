"""Models and tiers by name: one network at several sizes, each with an ensemble of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

from alphacut_core import checks
from alphacut_core.contract import DEFAULT_PIPELINE, Pipeline

Mode = Literal["full", "medium", "lite"]
"""``full`` is the network at the size it was trained for, the others trade accuracy at the edges for speed."""

MODES: tuple[Mode, ...] = get_args(Mode)
DEFAULT_MODEL = DEFAULT_PIPELINE.engine
DEFAULT_SIZE = DEFAULT_PIPELINE.size

_SHARES: dict[Mode, Fraction] = {"full": Fraction(1), "medium": Fraction(4, 5), "lite": Fraction(1, 2)}
_STRIDE = 32  # five poolings by two


def size_of(mode: Mode, native_size: int = DEFAULT_SIZE) -> int:
    """Return the side in pixels of a tier's square: 320, 256 and 160 for a network of 320.

    Args:
        mode: The tier.
        native_size: Side of the square that the network was trained for.
    """
    if mode == "full":
        return native_size
    return round(native_size * _SHARES[mode] / _STRIDE) * _STRIDE


def pipeline(model: str = DEFAULT_MODEL, mode: Mode = "full", native_size: int = DEFAULT_SIZE) -> Pipeline:
    """Return the names of the Triton models that serve a network at a tier.

    ``remove_background`` is the default network's full tier; others carry the network's and the tier's name
    behind it. Preprocessing depends on the size alone and is shared by all networks of one size;
    postprocessing takes masks of any size and is shared by all.

    Args:
        model: Name of the network as ``alphacut build`` installed it.
        mode: The tier.
        native_size: Side of the network's own square, in pixels.

    Raises:
        InvalidOptionError: There is no such tier.
    """
    checks.choice("mode", mode, MODES)
    size = size_of(mode, native_size)
    tier = "" if mode == "full" else f"_{mode}"
    network = "" if model == DEFAULT_MODEL else f"_{model}"
    return Pipeline(
        ensemble=f"{DEFAULT_PIPELINE.ensemble}{network}{tier}",
        preprocess=DEFAULT_PIPELINE.preprocess if size == DEFAULT_SIZE else f"{DEFAULT_PIPELINE.preprocess}_{size}",
        engine=f"{model}{tier}",
        postprocess=DEFAULT_PIPELINE.postprocess,
        size=size,
    )
