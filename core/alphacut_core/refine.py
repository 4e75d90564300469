"""Optional, slower treatment of a mask or its edge, with the libraries that rembg uses for the same."""

from __future__ import annotations

import numpy as np
from PIL import Image

from alphacut_core import laplacian
from alphacut_core.errors import RefinementError
from alphacut_core.geometry import Pixels, to_rgb
from alphacut_core.libraries import library
from alphacut_core.refinements import Matting

_SMOOTHING_SIGMA_PX = 2
_BINARY_THRESHOLD = 127
_UNKNOWN = 128
_MAX_UNKNOWN_PIXELS = 1_000_000
"""What two gigabytes of memory hold while the equations are solved."""
_MAX_COLOR_PIXELS = 25_000_000
"""What two gigabytes of memory hold while colours are estimated."""
_STRIP_PX = 256


def post_process(mask: Image.Image) -> Image.Image:
    """Smooth a mask's outline and make it binary.

    Morphological opening with a disk of radius 1, Gaussian blur with sigma 2 px, threshold at 127: rembg's
    ``post_process_mask``.

    Args:
        mask: Mode L.

    Returns:
        Mode L of the same size, only 0 and 255.
    """
    with library("scikit-image"):
        from scipy.ndimage import gaussian_filter
        from skimage.morphology import disk, opening
    opened = opening(np.asarray(mask), disk(1))
    smooth = gaussian_filter(opened.astype(np.float64), sigma=_SMOOTHING_SIGMA_PX)
    return Image.fromarray(np.where(smooth < _BINARY_THRESHOLD, 0, 255).astype(np.uint8))


def closed_form_matting(image: Image.Image, mask: Image.Image, matting: Matting) -> Image.Image:
    """Estimate alpha and the subject's true colours around the mask's edge.

    Closed-form matting (Levin, Lischinski, Weiss 2008) and multi-level foreground estimation (Germer et al.
    2020), both from pymatting, over the whole picture: seconds per megapixel.

    Args:
        image: Upright, any 8-bit layout.
        mask: Mode L of the same size.
        matting: Thresholds and erosion of the trimap.

    Returns:
        RGBA, straight alpha.

    Raises:
        RefinementError: The trimap has no certain subject, no certain background, or too much that is neither;
            its equations have no solution; or the picture is of more than 25 megapixels.
    """
    _check_size(image)
    values = np.asarray(mask)
    side = matting.erode_size
    subject = _eroded(values > matting.foreground_threshold, side, beyond_border=0)
    background = _eroded(values < matting.background_threshold, side, beyond_border=1)
    trimap = np.full(values.shape, _UNKNOWN, dtype=np.uint8)
    trimap[subject] = 255
    trimap[background] = 0
    for name, area in (("subject", subject), ("background", background)):
        if not area.any():
            raise RefinementError(
                f"got a mask without certain {name} for matting (thresholds {matting.foreground_threshold} and "
                f"{matting.background_threshold}, erosion {side} px); lower erode_size or leave matting out"
            )
    n_unknown = int((trimap == _UNKNOWN).sum())
    if n_unknown > _MAX_UNKNOWN_PIXELS:
        raise RefinementError(
            f"got {n_unknown:,} pixels that are neither certain subject nor certain background; matting solves at "
            f"most {_MAX_UNKNOWN_PIXELS:,}; scale the picture down, lower erode_size, or ask for decontaminate"
        )
    return _with_true_colors(image, _solved(image, trimap) if n_unknown else trimap / 255.0)


def decontaminate(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Replace the colours of half-transparent pixels by the subject's own.

    Multi-level foreground estimation (Germer et al. 2020) from pymatting.

    Args:
        image: Upright, any 8-bit layout.
        mask: Mode L of the same size; becomes alpha.

    Returns:
        RGBA, straight alpha.

    Raises:
        RefinementError: The picture is of more than 25 megapixels.
    """
    _check_size(image)
    return _with_true_colors(image, np.asarray(mask) / 255.0)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > _MAX_COLOR_PIXELS:
        raise RefinementError(
            f"got {image.width}x{image.height} = {image.width * image.height:,} pixels; colours at the edge are "
            f"estimated for at most {_MAX_COLOR_PIXELS:,}; scale it down, or leave decontaminate or matting out"
        )


def _eroded(area: np.ndarray, side: int, beyond_border: int) -> np.ndarray:
    """Shrink an area by a square of ``side`` pixels, or by a cross of three where ``side`` is 0, as rembg does.

    A row and then a column give what the square gives, without scipy's table of ``side**4`` offsets: 33 GB at 255.
    """
    with library("scipy"):
        from scipy.ndimage import binary_erosion
    if side == 0:
        return np.asarray(binary_erosion(area, border_value=beyond_border))
    rows = binary_erosion(area, structure=np.ones((side, 1)), border_value=beyond_border)
    return np.asarray(binary_erosion(rows, structure=np.ones((1, side)), border_value=beyond_border))


def _solved(image: Image.Image, trimap: Pixels) -> np.ndarray:
    """Return alpha, float64 (H, W): what pymatting's ``estimate_alpha_cf`` returns, to the last bit."""
    unknown = trimap == _UNKNOWN
    try:
        solution = laplacian.solve(to_rgb(image), trimap, unknown)
    except ValueError as error:
        raise RefinementError(f"matting of this picture and mask has no solution ({error}); leave it out") from error
    alpha = trimap / 255.0
    alpha[unknown] = np.clip(solution, 0, 1)
    return alpha


def _with_true_colors(image: Image.Image, alpha: np.ndarray) -> Image.Image:
    with library("pymatting"):
        from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml
    units = (np.arange(256) / 255.0).astype(np.float32)  # in which pymatting computes
    colors = units[np.asarray(to_rgb(image))]
    foreground = estimate_foreground_ml(colors, alpha) if alpha.size > 1 else colors  # it divides by log2(size)
    cutout = np.empty((*alpha.shape, 4), np.uint8)
    for top in range(0, len(cutout), _STRIP_PX):  # in float64, as rembg does, and not of all at once
        rows = slice(top, top + _STRIP_PX)
        cutout[rows, :, :3] = np.clip(foreground[rows].astype(np.float64) * 255, 0, 255)
        cutout[rows, :, 3] = np.clip(alpha[rows] * 255, 0, 255)
    return Image.fromarray(cutout)
