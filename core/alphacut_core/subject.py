"""Whether there is a subject at all.

The engine stretches its map to the full range of 0 to 255, so even a picture of nothing gets a mask. What the
stretch hides is ``CONFIDENCE``, the map's maximum before it. Coverage and uncertainty are measured on the mask,
after the stretch: they say how large and how decided the subject is, not whether there is one.
"""

from __future__ import annotations

import numpy as np

from alphacut_core.errors import NoSubjectError
from alphacut_core.geometry import Pixels

_HALF = 128


def coverage(mask: Pixels) -> float:
    """Return the share of the picture that is subject, 0 to 1: mask values of at least 128.

    Args:
        mask: uint8 (H, W).
    """
    return float(np.count_nonzero(mask >= _HALF) / mask.size)


def uncertainty(mask: Pixels) -> float:
    """Return how undecided a mask is, 0 to 1: 0 where all is 0 or 255, 1 where all is half; the mean over pixels.

    Args:
        mask: uint8 (H, W).
    """
    counts = np.bincount(mask.ravel(), minlength=256)
    return float(counts @ (1 - np.abs(np.arange(256) / 127.5 - 1)) / mask.size)


def check(confidence: float, min_confidence: float) -> None:
    """Refuse a mask that the network does not believe in itself.

    Args:
        confidence: ``CONFIDENCE``, 0 to 1.
        min_confidence: Least that is accepted, 0 to 1; 0 accepts everything.

    Raises:
        NoSubjectError: The confidence is lower.
    """
    if confidence < min_confidence:
        raise NoSubjectError(
            f"got a picture in which the network finds no subject (confidence {confidence:.3f}, min_confidence "
            f"{min_confidence:g}); send another picture, or lower min_confidence"
        )
