"""From a picture to the network's square and from the network's mask back to the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are just outside, as in Pillow."""


def to_square(image: Image.Image, size: int) -> Pixels:
    """Resize a picture to the network's input.

    The whole picture is squeezed into the square without keeping its proportions, by Pillow's antialiased
    LANCZOS filter: what rembg does and what the published weights expect. Alpha is ignored.

    Args:
        image: Any 8-bit layout, upright.
        size: Side of the square in pixels.

    Returns:
        uint8 (size, size, 3) RGB, C-contiguous.
    """
    return np.ascontiguousarray(to_rgb(image).resize((size, size), Image.Resampling.LANCZOS))


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the colours alone, those that transparency hides included; an RGB image comes back as it is."""
    if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
        image = image.convert("RGBA")  # straight to RGB, Pillow warns of a loss that is wanted here
    return image if image.mode == "RGB" else image.convert("RGB")


def to_picture(mask: Pixels, width: int, height: int) -> Image.Image:
    """Resize the network's mask to the picture's size.

    Args:
        mask: uint8 (S, S), 0 background to 255 subject.
        width: Columns of the picture.
        height: Rows of the picture.

    Returns:
        Mode L, ``width`` x ``height``, by LANCZOS; overshoot is clipped to 0..255.
    """
    return Image.fromarray(mask).resize((width, height), Image.Resampling.LANCZOS)
