"""Closed-form matting of the unknown band alone, within a budget of pixels and of time.

Levin, Lischinski, Weiss 2008, "A closed-form solution to natural image matting", from pymatting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from alphacut_core import laplacian, shape
from alphacut_core.errors import RefinementError
from alphacut_core.geometry import Pixels, to_rgb
from alphacut_core.refinements import Refine

_WINDOW_PX = 3
_MOST_ENTRIES_A_ROW = 400  # of the preconditioner; some 40 are usual
_UNKNOWN = 128
_HALF = 128


def refine(image: Image.Image, mask: Image.Image, asked: Refine, trimap: Image.Image | None = None) -> Image.Image:
    """Estimate alpha in the unknown band.

    Args:
        image: Upright, any 8-bit layout.
        mask: Mode L of the same size.
        asked: How wide the band is, and the budget.
        trimap: Mode L of the same size with 0 (background), 128 (unknown) and 255 (subject) instead of the band
            around the mask's edge; None makes one of ``mask``.

    Returns:
        Mode L: 0 and 255 where the trimap is certain, the solution elsewhere. ``mask`` itself where the budget
        does not suffice and ``asked.over_budget`` is ``mask``.

    Raises:
        RefinementError: The trimap has no certain subject or no certain background, the equations have no
            solution, or the budget does not suffice and ``over_budget`` is ``raise``.
        MissingLibraryError: pymatting is not installed.
    """
    certain = around_edge(mask, asked.band_px) if trimap is None else np.asarray(trimap)
    for name, value in (("subject", 255), ("background", 0)):
        if not (certain == value).any():
            raise RefinementError(
                f"got a trimap without certain {name} (band_px={asked.band_px}); lower band_px, give a trimap, or "
                "leave refine out"
            )
    if min(image.size) < _WINDOW_PX:
        raise RefinementError(
            f"got {image.width}x{image.height} pixels; matting needs at least {_WINDOW_PX} a side; leave refine out"
        )
    unknown = certain == _UNKNOWN
    count = int(np.count_nonzero(unknown))
    if count > asked.max_unknown_px:
        if asked.over_budget == "mask":
            return mask
        raise RefinementError(
            f"got {count:,} pixels that are neither certain subject nor certain background, and max_unknown_px allows "
            f"{asked.max_unknown_px:,}; scale the picture down, lower band_px, or ask for over_budget='mask'"
        )
    alpha = np.where(certain == 255, 255, 0).astype(np.uint8)
    if count:
        try:
            alpha[unknown] = _solved(image, certain, unknown, Clock(asked.max_seconds))
        except OverTimeError as error:
            if asked.over_budget == "mask":
                return mask
            raise RefinementError(
                f"matting {count:,} unknown pixels took longer than max_seconds={asked.max_seconds:g}; scale the "
                "picture down, raise max_seconds, or ask for over_budget='mask'"
            ) from error
    return Image.fromarray(alpha)


def around_edge(mask: Image.Image, band_px: int) -> Pixels:
    """Return the trimap of a mask: unknown is what lies within ``band_px`` of its edge, where it passes the half.

    Not all that is neither 0 nor 255: a network that is unsure of a whole helmet would have it solved from
    nothing, and it would come out as glass.

    Args:
        mask: Mode L.
        band_px: How far certain subject and certain background draw back from the edge, in pixels.

    Returns:
        uint8 (H, W): 0 background, 128 unknown, 255 subject.
    """
    binary = np.asarray(shape.threshold(mask, _HALF))
    trimap = np.full(binary.shape, _UNKNOWN, np.uint8)
    trimap[shape.eroded(binary, band_px) == 255] = 255
    trimap[shape.dilated(binary, band_px) == 0] = 0
    return trimap


class OverTimeError(Exception):
    """The budget of time is spent; never leaves this module."""


class Clock:
    """A budget of time."""

    def __init__(self, max_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._end = now() + max_seconds

    def check(self, *_progress: Any) -> None:
        """Raise OverTimeError if the budget is spent; takes, and ignores, what a solver tells."""
        if self._now() > self._end:
            raise OverTimeError


def _solved(image: Image.Image, certain: Pixels, unknown: np.ndarray, clock: Clock) -> Pixels:
    """Return alpha of the unknown pixels in rows-first order: uint8 (n,)."""
    try:
        solution = laplacian.solve(to_rgb(image), certain, unknown, clock.check, _MOST_ENTRIES_A_ROW)
    except ValueError as error:
        raise RefinementError(f"matting of this picture has no solution ({error}); leave refine out") from error
    scaled: Pixels = np.clip(np.rint(solution * 255), 0, 255).astype(np.uint8)
    return scaled
