"""Masks of a network as the product would make them: the same resizing, the same stretch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from alphacut_core import geometry
from alphacut_core.geometry import Pixels
from alphacut_training import checkpoint
from alphacut_training.dataset import tensors
from alphacut_training.network import U2Net

Saliency = Callable[[Image.Image], "np.ndarray"]
"""From an RGB picture to its saliency, float32 (S, S), 0 to 1, before any stretch."""

_LEAST_RANGE = 1e-6


def of_network(network: U2Net, size: int) -> Saliency:
    """Return a function that finds the subject with a network at ``size`` pixels square."""
    network.eval()

    def saliency(picture: Image.Image) -> np.ndarray:
        image, _ = tensors(geometry.to_square(picture, size), np.zeros((size, size), np.uint8))
        with torch.inference_mode():
            return np.asarray(torch.sigmoid(network(image[None])[0])[0, 0])

    return saliency


def of_file(path: Path, size: int) -> Saliency:
    """Return the same for a network on the disk; see ``checkpoint.load`` for what it raises."""
    return of_network(checkpoint.load(path), size)


def stretched(saliency: np.ndarray) -> Pixels:
    """Stretch to the full range: uint8 of the same shape, as the engines' graphs do."""
    low, high = float(saliency.min()), float(saliency.max())
    return ((saliency - low) / max(high - low, _LEAST_RANGE) * 255).astype(np.uint8)


def mask(saliency: np.ndarray, picture: Image.Image) -> Pixels:
    """Return the mask at the picture's size, uint8 (H, W)."""
    return np.asarray(geometry.to_picture(stretched(saliency), picture.width, picture.height))
