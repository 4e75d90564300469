"""Kinds of picture on which networks fail in different ways."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from alphacut_core.geometry import Pixels

SMALL, BORDER, SEVERAL, LOW_CONTRAST, PLAIN = (
    "small subject",
    "at the border",
    "several subjects",
    "low contrast",
    "plain",
)
NAMES = (SMALL, BORDER, SEVERAL, LOW_CONTRAST, PLAIN)

_SMALL_SHARE = 0.1
_BORDER_SHARE = 0.02
_PART_SHARE = 0.1
_CONTRAST = 30.0


def of(picture: Pixels, truth: Pixels) -> tuple[str, ...]:
    """Return the groups of a picture; ``plain`` is alone.

    Args:
        picture: uint8 (H, W, 3) RGB.
        truth: uint8 (H, W), the true mask.
    """
    subject = truth >= 128
    groups = [
        name
        for name, member in (
            (SMALL, subject.mean() < _SMALL_SHARE),
            (BORDER, _touches_border(subject)),
            (SEVERAL, _parts(subject) > 1),
            (LOW_CONTRAST, _contrast(picture, subject) < _CONTRAST),
        )
        if member
    ]
    return tuple(groups) or (PLAIN,)


def _touches_border(subject: np.ndarray) -> bool:
    """Whether more than 2 % of the frame's pixels are subject."""
    frame = np.concatenate((subject[0], subject[-1], subject[:, 0], subject[:, -1]))
    return bool(frame.mean() > _BORDER_SHARE)


def _parts(subject: np.ndarray) -> int:
    """Count connected parts of at least a tenth of the subject's area."""
    labels, count = ndimage.label(subject)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return int((areas >= _PART_SHARE * max(1, subject.sum())).sum())


def _contrast(picture: Pixels, subject: np.ndarray) -> float:
    """Return the distance of the mean colours of subject and background in CIELAB, each axis 0 to 255."""
    if not subject.any() or subject.all():
        return 255.0
    lab = np.asarray(Image.fromarray(picture).convert("LAB"), np.float64)
    # Pillow stores a and b as signed bytes around 0, which wrap round in uint8.
    lab[..., 1:] = (lab[..., 1:] + 128) % 256
    return float(np.linalg.norm(lab[subject].mean(0) - lab[~subject].mean(0)))
