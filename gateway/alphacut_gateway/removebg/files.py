"""The answer as a file."""

from __future__ import annotations

import io
import zipfile

from PIL import Image

from alphacut_core import codec
from alphacut_core.render import over_color

MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "zip": "application/zip", "webp": "image/webp"}

_WHITE = (255, 255, 255, 255)


def encode(picture: Image.Image, file_format: str) -> bytes:
    """Encode a finished picture.

    Args:
        picture: RGBA or L.
        file_format: ``png``, ``webp``, ``jpg`` (white where it is transparent) or ``zip`` (``color.jpg`` with the
            colours and ``alpha.png`` with the transparency, both opaque: the smallest whole answer).
    """
    if file_format == "png":
        return codec.encode_png(picture)
    if file_format == "webp":
        return codec.encode_webp(picture)
    if file_format == "jpg":
        return codec.encode_jpeg(over_color(picture, _WHITE) if picture.mode == "RGBA" else picture)
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else picture
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # both are compressed already
        archive.writestr("color.jpg", codec.encode_jpeg(picture))
        archive.writestr("alpha.png", codec.encode_png(alpha))
    return buffer.getvalue()
