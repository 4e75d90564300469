"""LANCZOS by SIMD, several times as fast as Pillow's, for masks that may differ a little from rembg's.

The library is cykooz_resizer (https://github.com/Cykooz/cykooz.resizer). It has no wheels for some platforms, Linux on
ARM among them: Pillow resizes there.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from alphacut_core.geometry import Pixels, to_rgb, to_square

try:
    from cykooz_resizer import FilterType, ImageData, PixelType, ResizeAlg, ResizeOptions, Resizer
except ModuleNotFoundError:
    BY_SIMD = False
else:
    BY_SIMD = True


def to_square_fast(image: Image.Image, size: int) -> Pixels:
    """Resize a picture to the network's input nearly as ``geometry.to_square`` does.

    Weights have 16 bits, so that a few values in a thousand are off, by one or two. Rows come first and are rounded to
    bytes, as Pillow does it with most pictures; of tall ones, which it takes the other way, a tenth of the values at
    hard edges are off.

    Args:
        image: Any 8-bit layout, upright.
        size: Side of the square in pixels.

    Returns:
        uint8 (size, size, 3) RGB, C-contiguous.
    """
    if not BY_SIMD:
        return to_square(image, size)
    rgb = to_rgb(image)
    resizer, options = Resizer(), ResizeOptions(ResizeAlg.convolution(FilterType.lanczos3))
    # Pixels are copied: the library's way into Pillow's own memory would depend on the versions of both.
    source = ImageData(*rgb.size, PixelType.U8x3, rgb.tobytes())
    rows = ImageData(size, rgb.height, PixelType.U8x3)
    resizer.resize(source, rows, options)
    square = ImageData(size, size, PixelType.U8x3)
    resizer.resize(rows, square, options)
    return np.frombuffer(square.get_buffer(), np.uint8).reshape(size, size, 3)
