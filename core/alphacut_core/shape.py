"""Shaping a mask at the picture's size: threshold, holes, specks, erosion, dilation, feather.

Erosion and dilation run on NumPy alone: a running minimum over a line of n pixels takes log2(n) passes over the
array, and an octagon, which is the next to a disk, is made of four lines.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from alphacut_core.crop import VISIBLE_FROM
from alphacut_core.geometry import Pixels
from alphacut_core.libraries import library

_HALF = 128
_SOLID_FROM = 256 - VISIBLE_FROM


def threshold(mask: Image.Image, level: int) -> Image.Image:
    """Make a mask binary: 255 where it is at least ``level``, 0 elsewhere. Mode L in and out."""
    return mask.point([0] * level + [255] * (256 - level))


def fill_holes(mask: Image.Image, max_px: int) -> Image.Image:
    """Fill holes of at most ``max_px`` pixels.

    A hole is a connected area (by edges) that touches no border of the picture, is nowhere solid (243 or more)
    and somewhere background (less than 128); its soft rim is filled with it.

    Args:
        mask: Mode L.
        max_px: Largest area, in pixels.

    Raises:
        MissingLibraryError: scipy is not installed.
    """
    with library("scipy"):
        from scipy import ndimage
    values = np.array(mask)
    labels, count = ndimage.label(values < _SOLID_FROM)
    if not count:
        return mask
    small = np.bincount(labels.ravel(), minlength=count + 1) <= max_px
    open_ = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    darkest = np.concatenate([[255], ndimage.minimum(values, labels, np.arange(1, count + 1))])
    fill = small & (darkest < _HALF)
    fill[open_] = False
    fill[0] = False
    values[fill[labels]] = 255
    return Image.fromarray(values)


def drop_specks(mask: Image.Image, min_px: int) -> Image.Image:
    """Make parts of fewer than ``min_px`` pixels background.

    A part is a connected area (by edges or corners) of at least 13: what can be seen. So the soft rim goes too.

    Args:
        mask: Mode L.
        min_px: Least area, in pixels.

    Raises:
        MissingLibraryError: scipy is not installed.
    """
    with library("scipy"):
        from scipy import ndimage
    values = np.array(mask)
    labels, _ = ndimage.label(values >= VISIBLE_FROM, structure=np.ones((3, 3)))
    drop = np.bincount(labels.ravel()) < min_px
    drop[0] = False
    values[drop[labels]] = 0
    return Image.fromarray(values)


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
    radius_px = min(radius_px, max(height, width))
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
