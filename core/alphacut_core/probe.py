"""A picture with a known answer: what readiness means here.

A server can report itself ready with a dead Python process, with the wrong numpy, or with another engine
than the one that was checked. So whoever builds an engine stores the mask that the reference makes of one
fixed picture, and whoever starts a server asks for that mask before calling it ready.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from alphacut_core import codec
from alphacut_core.geometry import Pixels

ANSWER_FILE = "probe.png"
"""Name of the stored mask beside the engine."""

MAX_MEAN_DIFFERENCE = 8.0
"""Largest accepted mean |Δ| of 255 between answer and stored mask: INT8 stays far below, garbage far above."""

_SIDE_PX = 320


def picture() -> bytes:
    """Return the probe as a PNG file: a red ball on a table before a plain wall, 320x320 RGB."""
    image = Image.new("RGB", (_SIDE_PX, _SIDE_PX), (176, 190, 200))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 220, _SIDE_PX, _SIDE_PX), fill=(120, 104, 88))
    draw.ellipse((90, 80, 230, 250), fill=(190, 40, 36))
    draw.ellipse((125, 105, 165, 150), fill=(236, 120, 110))
    return codec.encode_png(image)


def store_answer(mask: Pixels, folder: Path) -> None:
    """Write the reference's mask of ``picture()`` (uint8, size x size) beside the engine in ``folder``."""
    (folder / ANSWER_FILE).write_bytes(codec.encode_png(Image.fromarray(mask), level=9))


def load_answer(folder: Path) -> Pixels:
    """Read the stored mask back: uint8 (size, size).

    Raises:
        FileNotFoundError: Nothing was stored there.
        InputError: The file is damaged.
    """
    return np.asarray(codec.decode((folder / ANSWER_FILE).read_bytes()).convert("L"))


def mean_difference(mask: Pixels, answer: Pixels) -> float:
    """Return the mean absolute difference of two masks, 0 to 255; masks of different shapes differ by 255."""
    if mask.shape != answer.shape:
        return 255.0
    return float(np.abs(mask.astype(np.int16) - answer.astype(np.int16)).mean())
