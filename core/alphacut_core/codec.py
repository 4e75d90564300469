"""Image files to pictures and back; the header is judged before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from alphacut_core.errors import (
    AlphacutError,
    ImageTooLargeError,
    UndecodableImageError,
    UnsupportedImageError,
)
from alphacut_core.limits import DEFAULT_LIMITS, FORMATS, HEIC_FORMAT, Limits

# What Pillow's decoders raise on broken files, MemoryError and OverflowError for absurd chunk lengths among them.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)
_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_TURNS_SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about itself before its pixels are read.

    Attributes:
        format: Pillow's name of the file format.
        mode: Pillow's name of the pixel layout.
        width: Columns as they will be shown, EXIF orientation applied.
        height: Rows as they will be shown.
    """

    format: str
    mode: str
    width: int
    height: int


def read_header(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Header:
    """Read format and dimensions of an image file without decoding it.

    Args:
        data: The file's bytes.
        limits: Bounds on bytes and pixels.

    Raises:
        EmptyImageError: No bytes.
        UnsupportedImageError: Not an accepted format, a side of zero, or floating-point pixels.
        UndecodableImageError: An accepted format with a broken header.
        ImageTooLargeError: Over the limits.
    """
    with _opened(data, limits) as image:
        width, height = image.size
        if image.getexif().get(ExifTags.Base.Orientation) in _TURNS_SIDEWAYS:
            width, height = height, width
        return Header(str(image.format), image.mode, width, height)


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file exactly.

    The first frame of animations is taken, EXIF orientation is applied and dropped, 16-bit greys are scaled
    to 8 bits. The pixel layout stays the file's (RGB, RGBA, L, LA, P, CMYK, 1, ...); no colour profile is
    applied, but it stays in ``image.info["icc_profile"]``.

    Raises:
        InputError: As ``read_header``, or ``UndecodableImageError`` for pixels that are broken or cut off.
    """
    with _opened(data, limits) as image:
        image.load()
        return upright(image)


def decode_reduced(data: bytes, size: int, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file to no fewer than ``2 * size`` pixels a side, faster where the format allows.

    JPEG decoders scale by 1/2, 1/4 or 1/8 in the frequency domain at a fraction of the cost. Other formats
    are decoded as by ``decode``.
    """
    with _opened(data, limits) as image:
        image.draft(None, (2 * size, 2 * size))
        image.load()
        return upright(image)


def upright(image: Image.Image) -> Image.Image:
    """Return the picture turned as its EXIF orientation says, in a layout of 8 bits a channel.

    Raises:
        UnsupportedImageError: Floating-point pixels, whose range nothing states.
    """
    _check_mode(image.mode)
    turned = ImageOps.exif_transpose(image)
    if turned.mode not in _DEEP_MODES:
        return turned
    # Pillow's own conversion clips 16 bits to 8, which turns nearly every picture white.
    values = np.asarray(turned).astype(np.int64)
    shallow = Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    shallow.info = turned.info
    return shallow


def encode_png(image: Image.Image, level: int = 1, icc_profile: bytes | None = None) -> bytes:
    """Encode as PNG.

    Args:
        image: Any mode that PNG knows.
        level: zlib level 0 (large, fast) to 9. 1 costs a third of Pillow's default 6 and adds a tenth.
        icc_profile: Colour profile to attach.
    """
    return _encode(image, "PNG", compress_level=level, icc_profile=icc_profile)


def encode_webp(image: Image.Image, quality: int = 90, icc_profile: bytes | None = None) -> bytes:
    """Encode as WebP: lossy colours (``quality`` 0..100), lossless alpha.

    Raises:
        ImageTooLargeError: A side is longer than WebP's 16,383 pixels.
    """
    if max(image.size) > 16_383:
        raise ImageTooLargeError(
            f"got {image.width}x{image.height} pixels; WebP holds at most 16383 a side; ask for format='png'"
        )
    return _encode(image, "WEBP", quality=quality, method=0, icc_profile=icc_profile)


def _encode(image: Image.Image, format_name: str, **parameters: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **{name: value for name, value in parameters.items() if value is not None})
    return buffer.getvalue()


@contextmanager
def _opened(data: bytes, limits: Limits) -> Iterator[Image.Image]:
    """Open ``data`` within ``limits``; whatever a decoder raises inside becomes a typed error."""
    limits.check_bytes(len(data))
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            limits.check_pixels(*image.size)
            _check_mode(image.mode)
            yield image
    except AlphacutError:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedImageError(
            f"got {len(data):,} bytes starting with {data[:8]!r}, which are no image in an accepted format; "
            f"accepted are {', '.join(_formats())}"
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(
            f"got an image over the limit of {limits.max_pixels:,} pixels ({error}); scale it down before sending it"
        ) from error
    except _DECODER_ERRORS as error:
        raise UndecodableImageError(
            f"got {len(data):,} bytes of an image that is broken or cut off ({type(error).__name__}: {error}); "
            "save or download it again"
        ) from error


def _check_mode(mode: str) -> None:
    if mode == "F":
        raise UnsupportedImageError(
            "got floating-point pixels, whose range is unknown; convert the image to 8 or 16 bits a channel"
        )


@cache
def _formats() -> tuple[str, ...]:
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pillow_heif.register_heif_opener()
    return (*FORMATS, HEIC_FORMAT)
