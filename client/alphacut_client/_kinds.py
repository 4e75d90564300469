"""The kinds of image that callers hand over, and those that they get back."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Literal, TypeVar, cast

import numpy as np
from PIL import Image

from alphacut_client import _files
from alphacut_core import codec
from alphacut_core.errors import UnsupportedImageError
from alphacut_core.geometry import Pixels
from alphacut_core.limits import DEFAULT_LIMITS, Limits

Kind = TypeVar("Kind", bytes, Image.Image, Pixels)
"""What goes in as one of these comes out as the same: an image file's bytes, a PIL image, a uint8 array."""

FileLike = str | Path | IO[bytes]
"""Where an image file's bytes are: its path, or an open file, which is read from where it stands."""

ImageLike = bytes | FileLike | Image.Image | Pixels

Returns = type[bytes] | type[Image.Image] | type[Pixels] | None
"""What comes out: the bytes of a file, a PIL image, a uint8 array, or, if None, the kind that went in."""

RETURNS = (None, bytes, Image.Image, np.ndarray)

Given = Literal["encoded", "array", "image"]
"""What comes out, settled."""

Channels = Literal["rgb", "bgr"]
"""The order of an array's channels, in and out: ``bgr`` is OpenCV's; alpha is last in both."""

_BGR = {3: [2, 1, 0], 4: [2, 1, 0, 3]}


def file_content(image: object, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """Return the bytes of an image file given as such, by its path, or open; None for pixels.

    No more is read than the limit and one byte.

    Raises:
        InputError: The file cannot be read, or what was given is an address.
        ImageTooLargeError: It is longer than the limit.
        UnsupportedImageError: The file is open as text.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, Path)):
        return _files.at_path(image, limits)
    if isinstance(image, (Image.Image, np.ndarray)) or not hasattr(image, "read"):
        return None
    return _files.opened(cast(IO[bytes], image), limits)


def picture(image: object, limits: Limits, channels: Channels = "rgb") -> Image.Image:
    """Return pixels, given as PIL image or array, as an upright picture of 8 bits a channel.

    Args:
        image: Any mode, or uint8 (H, W, 3|4).
        limits: Bounds on its sides.
        channels: Order in an array.

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
        return Image.fromarray(_ordered(image, channels))
    if isinstance(image, Image.Image):
        limits.check_pixels(*image.size)
        return codec.upright(image)
    raise UnsupportedImageError(
        f"got {type(image).__name__}; give the bytes of an image file, its path, a file open in binary mode, a PIL "
        "image or a uint8 array"
    )


def is_single(images: object) -> bool:
    """Return whether what was given as images is one: iterated, it would fall into lines or rows."""
    if isinstance(images, np.ndarray):
        return images.dtype != object and images.ndim in (2, 3)
    return isinstance(images, (str, bytes, Path, Image.Image)) or hasattr(images, "readline")


def wanted(image: object, returns: Returns) -> Given:
    """Return the kind that comes out where ``image`` went in."""
    if returns is np.ndarray or (returns is None and isinstance(image, np.ndarray)):
        return "array"
    if returns is Image.Image or (returns is None and isinstance(image, Image.Image)):
        return "image"
    return "encoded"


def array(rendered: Image.Image, channels: Channels) -> Pixels:
    """Return a result as an array of its own: uint8 (H, W) or (H, W, 4), contiguous, since OpenCV draws on no other."""
    values: Pixels = np.array(rendered)  # a copy, since one that shares the picture's memory cannot be written to
    return values if values.ndim == 2 else _ordered(values, channels)


def _ordered(values: Pixels, channels: Channels) -> Pixels:
    # An index instead of take would leave the channels as planes in memory, and take seven times as long.
    return values if channels == "rgb" else np.take(values, _BGR[values.shape[2]], axis=2)
