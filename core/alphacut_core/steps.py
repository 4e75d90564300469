"""The two steps around the engine, one image at a time, as plain functions."""

from __future__ import annotations

from alphacut_core import codec, fast_resize, geometry, render
from alphacut_core.limits import Limits
from alphacut_core.options import Options


def preprocess(encoded: bytes, options: Options, size: int, limits: Limits) -> geometry.Pixels:
    """Turn an image file into the engine's input.

    Returns:
        uint8 (size, size, 3) RGB.

    Raises:
        InputError: The file is not acceptable; see ``codec.decode``.
    """
    if options.decode == "fast":
        return fast_resize.to_square_fast(codec.decode_reduced(encoded, size, limits), size)
    return geometry.to_square(codec.decode(encoded, limits), size)


def postprocess(encoded: bytes, options: Options, mask: geometry.Pixels, limits: Limits) -> bytes:
    """Turn an image file and its mask into the encoded picture that was asked for.

    Args:
        encoded: The same file that ``preprocess`` got.
        options: What to render and how to encode it.
        mask: uint8 (size, size) from the engine.
        limits: The same as for ``preprocess``.

    Returns:
        A file in the format asked for, at the size of the picture or of its crop.
    """
    if not options.needs_pixels:
        header = codec.read_header(encoded, limits)
        return render.encode(render.full_mask(mask, header.width, header.height, options), options)
    picture = render.render(codec.decode(encoded, limits), mask, options)
    return render.encode(picture, options)
