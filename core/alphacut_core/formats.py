"""The file formats that are read: how each is recognised and which decoder of Pillow's opens it.

``Image.open`` is not used. It measures a picture against a limit of its own, and only after the decoder has
opened it; it warns where this package has no objection; and it tries a file on every format in turn.
"""

from __future__ import annotations

import re
from functools import cache

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from alphacut_core import bombs
from alphacut_core.errors import UnsupportedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
"""Names of the formats that are always read. A multi-picture JPEG (MPO) is read as its first picture."""

HEIC_FORMAT = "HEIF"
"""Read too where the package pillow-heif is installed."""

SUFFIXES = frozenset(
    {
        ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff",
        ".webp",
    }
)  # fmt: skip
"""Endings, in lower case, of the files that a folder is searched for; what a file is, its first bytes say."""

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "BMP": rb"BM",
    "TIFF": rb"(II|MM)(\*\0|\0\*)|II\+\0|MM\0\+",
    "GIF": rb"GIF8[79]a",
    # Both say mif1 or msf1 first at times; what tells them apart is AVIF's brand among the compatible ones.
    "AVIF": rb".{4}ftyp(avi[fs]|m[is]f1.{4}(.{4}){0,16}?avi[fs])",
    HEIC_FORMAT: rb".{4}ftyp(hei[cxms]|hev[cxms]|m[is]f1)",
}


class _FirstFrameGif(GifImagePlugin.GifImageFile):
    """A GIF of which only the first frame is wanted: what clears it afterwards need not be painted on opening."""

    @property
    def disposal_method(self) -> int:
        """Leave the frame as it is, whatever the file says."""
        return 0

    @disposal_method.setter
    def disposal_method(self, value: int) -> None:
        pass


class _FirstPageTiff(TiffImagePlugin.TiffImageFile):
    """A TIFF of which only the first page is wanted; of a page that is alone, all of its EXIF would be read."""

    is_animated = True


_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": _FirstPageTiff,
    "GIF": _FirstFrameGif,
    "AVIF": AvifImagePlugin.AvifImageFile,
}


def recognise(data: bytes) -> str:
    """Return the name of the format whose signature ``data`` begins with.

    Raises:
        UnsupportedImageError: None that is read here.
    """
    name = next((name for name, start in _SIGNATURES.items() if re.match(start, data, re.DOTALL)), None)
    if name in _plugins():
        return name
    got = "a HEIC image" if name == HEIC_FORMAT else f"{len(data):,} bytes that begin with {data[:8]!r}"
    raise UnsupportedImageError(
        f"got {got}; accepted are {', '.join(_plugins())}, and HEIC where pillow-heif is installed; convert the image"
    )


def announced_size(name: str, data: bytes) -> tuple[int, int] | None:
    """Return the width and height that a WebP or PNG file begins with; None for other formats and cut-off files.

    WebP's decoder allocates the whole canvas when it opens a file, PNG's does not say why it refuses sides of
    zero. The others read their headers without either.
    """
    if len(data) < 30:
        return None
    if name == "PNG":
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if name != "WEBP":
        return None
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def open_file(name: str, data: bytes) -> ImageFile.ImageFile:
    """Read the header of a file of a format from ``recognise``; pixels are decoded by the image's ``load``.

    Raises:
        UnsupportedImageError: It is made of far too many pieces; from ``load`` too.
        ImageTooLargeError: A run-length encoded BMP of too many pixels.
    """
    bombs.check_file(name, data)
    return _plugins()[name](bombs.Content(data))


@cache
def _plugins() -> dict[str, type[ImageFile.ImageFile]]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return _PLUGINS
    return {**_PLUGINS, HEIC_FORMAT: HeifImageFile}
