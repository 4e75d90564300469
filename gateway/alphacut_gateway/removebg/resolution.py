"""``size``: how many pixels the answer has."""

from __future__ import annotations

import math

from alphacut_gateway.removebg.refusal import RemoveBgError

_MEGAPIXELS = {"preview": 0.25, "small": 0.25, "regular": 0.25, "medium": 1.5, "hd": 4.0, "50MP": 50.0}
_FULL = ("full", "4k", "auto")
NAMES = (*_MEGAPIXELS, *_FULL)
"""Every size that can be asked for."""

_FULL_MEGAPIXELS = 25.0
_FULL_PNG_MEGAPIXELS = 10.0


def check(size: str) -> str:
    """Return a size's name as it is.

    Raises:
        RemoveBgError: There is no such size.
    """
    if size not in NAMES:
        raise RemoveBgError("invalid_size", f"got size={size[:40]!r}; allowed are {', '.join(NAMES)}")
    return size


def largest(size: str, file_format: str) -> float:
    """Return the most pixels that an answer of this size and file format has, in megapixels."""
    if size in _FULL:
        return _FULL_PNG_MEGAPIXELS if file_format == "png" else _FULL_MEGAPIXELS
    return _MEGAPIXELS[size]


def fit(width: int, height: int, megapixels: float) -> tuple[int, int]:
    """Return the dimensions of an image scaled down, never up, to at most so many megapixels."""
    pixels = megapixels * 1e6
    if width * height <= pixels:
        return width, height
    factor = math.sqrt(pixels / (width * height))
    columns, rows = max(1, math.floor(width * factor)), max(1, math.floor(height * factor))
    return min(columns, max(1, int(pixels // rows))), min(rows, max(1, int(pixels // columns)))


def cost(width: int, height: int) -> int:
    """Return what an image counts against the rate limit: megapixels, rounded up."""
    return math.ceil(width * height / 1e6)
