"""Image files to pictures and back; the header is judged before a pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from alphacut_core import bombs, decoder_errors, formats, opened, png
from alphacut_core.errors import ImageTooLargeError, UnsupportedImageError
from alphacut_core.limits import DEFAULT_LIMITS, Limits

FAST_PNG_LEVEL = 1
"""The level of ``encode_png`` that goes by another, faster encoder than the rest."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_AS_STORED = 1
_SIDEWAYS = frozenset({5, 6, 7, 8})
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
_GREY_STEPS = {"L;2": 85, "L;4": 17}  # from a grey of 2 or 4 bits to the next, in 8 bits
_SIMPLER = {"La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}
_DESCRIBES_PIXELS = frozenset({"icc_profile", "transparency"})
_PNG_METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


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
        UnsupportedImageError: Not an accepted format, a side of zero, or pixels of an unknown range.
        UndecodableImageError: An accepted format with a broken header.
        ImageTooLargeError: Over the limits.
    """
    with _opened(data, limits) as image:
        width, height = image.size
        # Looking for EXIF, Pillow decodes a PNG whole, because metadata may follow the pixels. They rarely do.
        decode_first = image.format == "PNG" and any(data.rfind(tag) > data.find(b"IDAT") for tag in _PNG_METADATA)
        turned_already = isinstance(image, TiffImagePlugin.TiffImageFile) and ExifTags.Base.Orientation in image.tag_v2
        if _orientation(image, decode_first=decode_first) in _SIDEWAYS and not turned_already:
            width, height = height, width
        return Header(str(image.format), image.mode, width, height)


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file exactly.

    The first frame of animations is taken, EXIF orientation is applied and dropped, 16-bit channels are scaled
    to 8 bits. The pixel layout stays the file's (RGB, RGBA, L, LA, P, CMYK, 1, ...); no colour profile is
    applied, but it stays in ``image.info["icc_profile"]``.

    Raises:
        InputError: As ``read_header``, or ``UndecodableImageError`` for pixels that are broken or cut off.
    """
    with _opened(data, limits) as image:
        image.load()
        return _settled(_turned(image))


def decode_reduced(data: bytes, size: int, limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """Decode an image file to no fewer than ``2 * size`` pixels a side, faster where the format allows.

    JPEG decoders scale by 1/2, 1/4 or 1/8 in the frequency domain at a fraction of the cost. Other formats
    are decoded as by ``decode``.
    """
    with _opened(data, limits) as image:
        if image.format == "JPEG":  # HEIC's would put in the thumbnail, which may show anything
            image.draft(None, (2 * size, 2 * size))
        image.load()
        return _settled(_turned(image))


def upright(image: Image.Image) -> Image.Image:
    """Return the picture turned as its EXIF orientation says, in one of the layouts 1, L, LA, P, PA, RGB, RGBA, CMYK.

    EXIF that cannot be read counts as none: it is no reason to refuse a picture that is whole.

    Args:
        image: Any mode but those below. Several threads may hand over the same one.

    Returns:
        A new image; of ``info`` it keeps the colour profile and the transparent colour.

    Raises:
        UnsupportedImageError: Floating-point or 32-bit pixels, whose range nothing states.
        UndecodableImageError: The file behind a picture that was opened but not loaded is broken.
    """
    _check_mode(image.mode)
    opened.load(image)
    with opened.alone(image):
        turned = _turned(image)
        own = turned.copy() if turned is image else turned
    return _settled(own)


def _turned(image: Image.Image) -> Image.Image:
    """Return a loaded picture as its EXIF orientation shows it, with 8 bits: the same object where it is so already."""
    _check_mode(image.mode)
    turn = _TURNS.get(_orientation(image))
    if image.mode.startswith("I;16"):
        image = _shallow(image)
    return image if turn is None else image.transpose(turn)


def _settled(picture: Image.Image) -> Image.Image:
    """Return an upright picture in one of the layouts of ``upright``, with what describes its pixels and no more."""
    picture.info = {name: value for name, value in picture.info.items() if name in _DESCRIBES_PIXELS}
    return picture.convert(_SIMPLER[picture.mode]) if picture.mode in _SIMPLER else picture


def encode_png(image: Image.Image, level: int = FAST_PNG_LEVEL, icc_profile: bytes | None = None) -> bytes:
    """Encode as PNG, losslessly at every level.

    Args:
        image: Any mode that PNG knows.
        level: 1 is the fast way, ``png.encode``. The others are zlib's in Pillow, 0 (stored, large) to 9: 8 to 50
            times slower from 2 on, for files up to a tenth smaller. What ``png.encode`` does not know (palettes, 1
            or 16 bits, a transparent colour) is zlib's at level 1 too.
        icc_profile: Colour profile to attach.
    """
    if level == FAST_PNG_LEVEL and png.can_encode(image):
        return png.encode(image, icc_profile)
    return _encode(image, "PNG", compress_level=level, icc_profile=icc_profile)


def encode_webp(
    image: Image.Image, quality: int = 90, icc_profile: bytes | None = None, *, lossless: bool = False
) -> bytes:
    """Encode as WebP: lossy colours (``quality`` 0..100) or lossless ones, lossless alpha.

    Raises:
        ImageTooLargeError: A side is longer than WebP's 16,383 pixels.
    """
    _check_side(image, "WebP", 16_383)
    if lossless:  # exact keeps the colours under transparency too; quality is then the effort
        return _encode(image, "WEBP", lossless=True, exact=True, quality=20, method=0, icc_profile=icc_profile)
    return _encode(image, "WEBP", quality=quality, method=0, icc_profile=icc_profile)


def encode_avif(image: Image.Image, quality: int = 75, icc_profile: bytes | None = None) -> bytes:
    """Encode as AVIF: lossy colours and alpha (``quality`` 0..100).

    Raises:
        ImageTooLargeError: A side is longer than AVIF's 65,536 pixels.
    """
    _check_side(image, "AVIF", 65_536)
    return _encode(image, "AVIF", quality=quality, speed=9, icc_profile=icc_profile)


def encode_jpeg(image: Image.Image, quality: int = 92, icc_profile: bytes | None = None) -> bytes:
    """Encode as JPEG; alpha is dropped, so the picture had better be opaque.

    Raises:
        ImageTooLargeError: A side is longer than the 65,500 pixels of libjpeg.
    """
    _check_side(image, "JPEG", 65_500)
    opaque = image if image.mode in ("L", "RGB") else image.convert("RGB")
    return _encode(opaque, "JPEG", quality=quality, icc_profile=icc_profile)


def _check_side(image: Image.Image, format_name: str, max_px: int) -> None:
    if max(image.size) > max_px:
        raise ImageTooLargeError(
            f"got {image.width}x{image.height} pixels; {format_name} holds at most {max_px} a side; "
            "ask for format='png'"
        )


def _encode(image: Image.Image, format_name: str, **parameters: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **parameters)  # an icc_profile of None keeps Pillow from taking the image's own
    return buffer.getvalue()


@contextmanager
def _opened(data: bytes, limits: Limits) -> Iterator[ImageFile.ImageFile]:
    """Open ``data`` within ``limits``; whatever a decoder raises inside becomes a typed error."""
    limits.check_bytes(len(data))
    name = formats.recognise(data)
    announced = formats.announced_size(name, data)
    if announced is not None:
        limits.check_pixels(*announced)
    with decoder_errors.typed(f"{len(data):,} bytes of {name}"), formats.open_file(name, data) as image:
        limits.check_pixels(*image.size)
        _check_mode(image.mode)
        if isinstance(image, TiffImagePlugin.TiffImageFile) and 12 in image.tag_v2.get(_BITS_PER_SAMPLE, ()):
            raise UnsupportedImageError("got 12 bits a channel; convert the image to 8 or 16 bits a channel")
        _scale_transparency(image)
        yield image


def _check_mode(mode: str) -> None:
    if mode in ("F", "I"):
        kind = "floating-point" if mode == "F" else "32-bit integer"
        raise UnsupportedImageError(
            f"got {kind} pixels, whose range nothing states; convert the image to 8 or 16 bits a channel"
        )


def _orientation(image: Image.Image, *, decode_first: bool = False) -> int:
    try:
        if decode_first:
            image.load()
        bombs.check_tags(image.info.get("exif") or b"")
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except decoder_errors.RAISED:
        return _AS_STORED
    return value if isinstance(value, int) else _AS_STORED


def _scale_transparency(image: ImageFile.ImageFile) -> None:
    """Bring a PNG's transparent colour to 8 bits; Pillow does so with the pixels and leaves it as in the file."""
    transparent = image.info.get("transparency")
    layout = image.tile[0].args if image.format == "PNG" and image.tile else None
    if isinstance(transparent, int) and layout in _GREY_STEPS:
        image.info["transparency"] = transparent * _GREY_STEPS[layout]
    elif isinstance(transparent, tuple) and layout == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparent)


def _shallow(deep: Image.Image) -> Image.Image:
    """Scale 16-bit greys as Pillow scales 16-bit colours, by their upper byte; its own conversion clips them."""
    values = np.asarray(deep)
    if isinstance(deep, TiffImagePlugin.TiffImageFile) and deep.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = ~values  # which Pillow does for fewer bits
    shallow = Image.fromarray((values >> 8).astype(np.uint8))
    if "transparency" in deep.info:
        shallow.putalpha(Image.fromarray(np.where(values == deep.info["transparency"], 0, 255).astype(np.uint8)))
    shallow.info = {name: value for name, value in deep.info.items() if name == "icc_profile"}
    return shallow
