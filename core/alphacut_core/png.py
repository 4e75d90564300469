"""PNG files at a fraction of the usual cost: rows filtered by NumPy, compressed by Intel's igzip.

Most of the time that Pillow takes goes into trying five filters on every row, and into zlib. Here a band of rows shares
one filter, found by trial: a strip from the middle of the band is compressed with each, and the shortest wins.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
_NONE, _SUB, _UP = 0, 1, 2
_FILTERS = (_NONE, _SUB, _UP)  # Average and Paeth cost more in NumPy than they save here
_IGZIP_LEVEL = 2  # of 0 to 3; 1 is a tenth faster and 2 % larger, 3 slower and no smaller
_BAND_BYTES = 1 << 20
_TRIED_PART = 16
_LEAST_TRIED_ROWS = 8
_PROFILE_NAME = b"ICC Profile"

_Rows = NDArray[np.uint8]


def can_encode(image: Image.Image) -> bool:
    """Return whether ``encode`` knows the picture's layout: 8 bits a channel, no palette, no transparent colour."""
    return image.mode in _COLOR_TYPES and "transparency" not in image.info and 0 not in image.size


def encode(image: Image.Image, icc_profile: bytes | None = None) -> bytes:
    """Encode losslessly as PNG, the colours under full transparency included.

    Works through the picture in bands of about 1 MiB, so that beyond the file no copy of the picture is held. NumPy
    and igzip release the interpreter's lock.

    Args:
        image: Mode L, LA, RGB or RGBA, at least one pixel; see ``can_encode``.
        icc_profile: Colour profile to attach; the one in ``image.info`` is not looked at.
    """
    file = io.BytesIO()
    file.write(_SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, _COLOR_TYPES[image.mode], 0, 0, 0))
    if icc_profile:
        _write_chunk(file, b"iCCP", _PROFILE_NAME + b"\0\0" + isal_zlib.compress(icc_profile, _IGZIP_LEVEL))
    compressor = isal_zlib.compressobj(_IGZIP_LEVEL)
    for band in _filtered_bands(image):
        _write_chunk(file, b"IDAT", compressor.compress(band))
    _write_chunk(file, b"IDAT", compressor.flush())
    _write_chunk(file, b"IEND", b"")
    return file.getvalue()


def _write_chunk(file: io.BytesIO, name: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)))
    file.write(name)
    file.write(content)
    file.write(struct.pack(">I", isal_zlib.crc32(content, isal_zlib.crc32(name))))


def _filtered_bands(image: Image.Image) -> Iterator[_Rows]:
    """Yield the picture's rows from top to bottom, filtered, each behind the byte that names its filter."""
    width, height = image.size
    pixel_bytes = len(image.getbands())
    rows_a_band = max(1, _BAND_BYTES // (width * pixel_bytes))
    above = np.zeros(width * pixel_bytes, np.uint8)
    for top in range(0, height, rows_a_band):
        bottom = min(top + rows_a_band, height)
        rows = np.asarray(image.crop((0, top, width, bottom))).reshape(bottom - top, -1)
        yield _filtered(rows, above, pixel_bytes, _best_filter(rows, above, pixel_bytes))
        above = rows[-1]


def _best_filter(rows: _Rows, above: _Rows, pixel_bytes: int) -> int:
    """Return the filter that makes a strip from the middle of ``rows`` the shortest, the first of equals."""
    tried = min(len(rows), max(_LEAST_TRIED_ROWS, len(rows) // _TRIED_PART))
    first = (len(rows) - tried) // 2
    strip, over_strip = rows[first : first + tried], rows[first - 1] if first else above

    def compressed_bytes(kind: int) -> int:
        return len(isal_zlib.compress(_filtered(strip, over_strip, pixel_bytes, kind), _IGZIP_LEVEL))

    return min(_FILTERS, key=compressed_bytes)


def _filtered(rows: _Rows, above: _Rows, pixel_bytes: int, kind: int) -> _Rows:
    """Return what the PNG standard's filter ``kind`` makes of ``rows`` (N, B): uint8 (N, 1 + B)."""
    filtered = np.empty((rows.shape[0], 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = kind
    differences = filtered[:, 1:]
    if kind == _NONE:
        differences[:] = rows
    elif kind == _SUB:
        differences[:, :pixel_bytes] = rows[:, :pixel_bytes]
        np.subtract(rows[:, pixel_bytes:], rows[:, :-pixel_bytes], out=differences[:, pixel_bytes:])
    else:
        np.subtract(rows[0], above, out=differences[0])
        np.subtract(rows[1:], rows[:-1], out=differences[1:])
    return filtered
