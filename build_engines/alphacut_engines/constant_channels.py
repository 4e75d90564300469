"""Which channels of a network hardly vary, whatever the picture.

Some of the authors' U²-Nets have them: channel 14 behind one layer of u2netp is 226 to 228 on every picture, and the
next layer subtracts that constant again. Float32 does not mind. BF16 has steps of 1 there and INT8 spends its 256 steps
on the constant, so that what such a channel has to say is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from alphacut_core import codec, geometry, probe
from alphacut_core.geometry import Pixels
from alphacut_engines import fuse
from alphacut_engines.recipe import ModelRecipe
from alphacut_engines.watched import Watched

FEW_STEPS = 16
"""A channel counts whose largest value is this many times its range: BF16's step is a 256th to a 128th of a value, so
that at most 16 steps are left for all that such a channel has to say."""

Constants = Mapping[str, NDArray[np.float64]]
"""Name of a tensor to one number a channel: what is in the middle of its range, and 0 for channels that do vary."""


def find(network: onnx.ModelProto, recipe: ModelRecipe, tensors: Sequence[str]) -> Constants:
    """Return which of ``tensors`` have channels that hardly vary, and around what.

    Two drawn pictures and noise are shown to the network. They find what photographs find, and so the outcome depends
    on the network alone.

    Args:
        network: Optimised, float32.
        recipe: How it is used.
        tensors: Names of float32 tensors (batch, channels, height, width), none of them below zero.
    """
    fused = fuse.fuse(network, recipe)
    nodes = []
    for name in tensors:
        inner = fuse.NETWORK + name
        # Two numbers a channel instead of the tensor: all tensors of a large network do not fit into memory.
        nodes.append(onnx.helper.make_node("Neg", [inner], [f"{inner}/negative"]))
        nodes.append(onnx.helper.make_node("GlobalMaxPool", [inner], [f"{inner}/high"]))
        nodes.append(onnx.helper.make_node("GlobalMaxPool", [f"{inner}/negative"], [f"{inner}/low"]))
    shown = [f"{fuse.NETWORK}{name}/{end}" for name in tensors for end in ("high", "low")]
    watched = Watched(fused, shown, "optimise", nodes)
    seen = [watched.values(picture[None]) for picture in _pictures(recipe.size)]
    found = {}
    for name, high_name, low_name in zip(tensors, shown[::2], shown[1::2], strict=True):
        high = np.max([values[high_name].astype(np.float64).ravel() for values in seen], axis=0)
        low = -np.max([values[low_name].astype(np.float64).ravel() for values in seen], axis=0)
        constant = np.where((high > 0) & (FEW_STEPS * (high - low) <= high), (high + low) / 2, 0.0)
        if constant.any():
            found[name] = constant
    return found


def _pictures(size: int) -> Iterator[Pixels]:
    drawn = geometry.to_square(codec.decode(probe.picture()), size)
    yield drawn
    yield 255 - drawn
    yield np.random.default_rng(0).integers(0, 256, drawn.shape, dtype=np.uint8)
