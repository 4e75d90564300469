"""Shaping a mask at the picture's size: threshold, holes, specks, erosion, dilation, feather.

Erosion and dilation run on NumPy alone: a running minimum over a line of n pixels takes log2(n) passes over the
array, and an octagon, which is the next to a disk, is made of four lines.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFilter

from alphacut_core.geometry import Pixels
from alphacut_core.libraries import library

_HALF = 128


def threshold(mask: Image.Image, level: int) -> Image.Image:
    """Make a mask binary: 255 where it is at least ``level``, 0 elsewhere. Mode L in and out."""
    return mask.point([0] * level + [255] * (256 - level))


def fill_holes(mask: Image.Image, max_px: int) -> Image.Image:
    """Fill holes of at most ``max_px`` pixels.

    A hole is a connected area (by edges or corners) of less than 128 that touches no border of the picture. Its
    soft rim is filled with it, as far as the mask rises.

    Args:
        mask: Mode L.
        max_px: Largest area, in pixels.

    Raises:
        MissingLibraryError: scipy or scikit-image is not installed.
    """
    return Image.fromarray(~_without_small(~np.asarray(mask), max_px + 1, at_border_too=False))


def drop_specks(mask: Image.Image, min_px: int) -> Image.Image:
    """Make parts of fewer than ``min_px`` pixels background.

    A part is a connected area (by edges or corners) of at least 128. Its soft rim goes with it, as far as the mask
    falls.

    Args:
        mask: Mode L.
        min_px: Least area, in pixels.

    Raises:
        MissingLibraryError: scipy or scikit-image is not installed.
    """
    return Image.fromarray(_without_small(np.asarray(mask), min_px, at_border_too=True))


def _without_small(values: Pixels, min_px: int, *, at_border_too: bool) -> Pixels:
    """Return a copy without the parts of fewer than ``min_px`` pixels, each down to the valley around it."""
    with library("scikit-image"):
        from scipy import ndimage
        from skimage.segmentation import watershed
    solid = values >= _HALF
    parts, _ = ndimage.label(solid, structure=np.ones((3, 3)))
    small = np.bincount(parts.ravel()) < min_px
    small[0] = False
    if not at_border_too:
        small[np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])] = False
    kept: Pixels = values.copy()
    if small.any():
        # Only outlines and rims are flooded; what lies inside a part is known, and is most of a picture.
        inside = eroded(np.where(solid, 255, 0).astype(np.uint8), 1) == 255
        outlines = np.where(inside, 0, parts)
        rims = watershed(~values, outlines, connectivity=2, mask=(values > 0) & ~inside)
        kept[small[parts] | small[rims]] = 0
    return kept


def eroded(mask: Pixels, radius_px: int) -> Pixels:
    """Shrink the subject by ``radius_px``: the minimum over an octagon; the picture's border does not eat into it.

    Args:
        mask: uint8 (H, W).
        radius_px: 0 changes nothing.

    Returns:
        uint8 (H, W).
    """
    return ~dilated(~mask, radius_px)


def dilated(mask: Pixels, radius_px: int) -> Pixels:
    """Grow the subject by ``radius_px``: the maximum over an octagon.

    Args:
        mask: uint8 (H, W).
        radius_px: 0 changes nothing.

    Returns:
        uint8 (H, W).
    """
    height, width = mask.shape
    radius_px = min(radius_px, max(height, width, math.ceil((height + width) * 2**-0.5)))  # reaches corner from corner
    slanted = min(round(radius_px * (1 - 2**-0.5)), max(radius_px - 1, 0) // 2)
    padded = np.zeros((height + 2 * radius_px, width + 2 * radius_px), np.uint8)
    padded[radius_px : radius_px + height, radius_px : radius_px + width] = mask
    for step, reach in (((0, 1), radius_px - 2 * slanted), ((1, 0), radius_px - 2 * slanted)):
        padded = _running_maximum(padded, step, reach)
    for step in ((1, 1), (1, -1)):
        padded = _running_maximum(padded, step, slanted)
    return np.ascontiguousarray(padded[radius_px : radius_px + height, radius_px : radius_px + width])


def feathered(alpha: Image.Image, sigma_px: float) -> Image.Image:
    """Soften an edge by a Gaussian of standard deviation ``sigma_px``. Mode L in and out."""
    return alpha.filter(ImageFilter.GaussianBlur(sigma_px))


def _running_maximum(values: Pixels, step: tuple[int, int], reach: int) -> Pixels:
    """Return the maximum over the line from ``-reach`` to ``reach`` steps around each pixel.

    The window doubles until it is as long as wanted, looking forward; at the end it is moved back to its middle.
    """
    length, wanted = 1, 2 * reach + 1
    while length < wanted:
        shift = min(length, wanted - length)
        values = np.maximum(values, _shifted(values, step[0] * shift, step[1] * shift))
        length += shift
    return _shifted(values, -step[0] * reach, -step[1] * reach)


def _shifted(values: Pixels, down: int, right: int) -> Pixels:
    """Return an array whose pixel (y, x) is ``values``' (y + down, x + right), 0 beyond the border."""
    moved = np.zeros_like(values)
    height, width = values.shape
    target = slice(max(-down, 0), height - max(down, 0)), slice(max(-right, 0), width - max(right, 0))
    source = slice(max(down, 0), height - max(-down, 0)), slice(max(right, 0), width - max(-right, 0))
    moved[target] = values[source]
    return moved
