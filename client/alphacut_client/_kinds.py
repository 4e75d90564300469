"""The kinds of image that callers hand over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from alphacut_core import codec
from alphacut_core.errors import InputError, UnsupportedImageError
from alphacut_core.geometry import Pixels
from alphacut_core.limits import Limits

Kind = TypeVar("Kind", bytes, Image.Image, Pixels)
"""What goes in as one of these comes out as the same: an image file's bytes, a PIL image, a uint8 array."""

ImageLike = bytes | str | Path | Image.Image | Pixels


def file_content(image: object) -> bytes | None:
    """Return the bytes of an image file given as such or by its path; None for pixels.

    Raises:
        InputError: The file cannot be read.
    """
    if isinstance(image, bytes):
        return image
    if not isinstance(image, (str, Path)):
        return None
    try:
        return Path(image).read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {os.fspath(image)!r} ({error.strerror}); give the path of an image file"
        ) from error


def picture(image: object, limits: Limits) -> Image.Image:
    """Return pixels, given as PIL image or array, as an upright picture of 8 bits a channel.

    Raises:
        UnsupportedImageError: Another type, dtype or shape, or a side of zero.
        ImageTooLargeError: Over the limit of pixels.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
            raise UnsupportedImageError(
                f"got an array of {image.dtype} {image.shape}; give uint8 (H, W, 3) RGB or (H, W, 4) RGBA"
            )
        limits.check_pixels(image.shape[1], image.shape[0])
        return Image.fromarray(image)
    if isinstance(image, Image.Image):
        limits.check_pixels(*image.size)
        return codec.upright(image)
    raise UnsupportedImageError(
        f"got {type(image).__name__}; give the bytes of an image file, its path, a PIL image or a uint8 array"
    )
