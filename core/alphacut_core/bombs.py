"""Files that cost far more to read than their bytes and pixels say; how they are put together gives them away.

Pillow goes through segments, chunks, blocks and tags in Python, and decodes a JPEG's pixels anew for every scan. No
camera and no common program comes near these bounds.
"""

from __future__ import annotations

import io
import re

import numpy as np

from alphacut_core.errors import ImageTooLargeError, UnsupportedImageError

MAX_READS = 300_000
"""How often a decoder may go back to the file: a few times for each piece, and there may be one for each row."""
MAX_SCANS = 100
"""Of a JPEG: as many as cjpeg writes. Progressive files have some ten."""
MAX_SEGMENTS = 4_096
"""Of a JPEG; 64 MiB of them at their longest are 1,024."""
MAX_EXIF_SEGMENTS = 16
"""Of a JPEG: one mebibyte. Pillow copies the earlier ones for each."""
MAX_TAGS = 4_096
MAX_TAG_VALUES = 262_144
"""Numbers in a TIFF directory, each an object in Python: offsets and lengths of one-row strips, in two planes."""
MAX_RLE_PIXELS = 2_097_152
"""Of a run-length encoded BMP, which is decoded in Python."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # none is within compressed pixels
_SEQUENTIAL = (0xC0, 0xC1)
_SOF0, _SOI, _EOI, _SOS, _APP1 = 0xC0, 0xD8, 0xD9, 0xDA, 0xE1
_BMP_CORE_HEADER_BYTES = 12
_BMP_RLE = (1, 2)
_STAY_BYTES = (1, 2, 7)  # types of tags: byte, text, undefined
_OFFSETS = (273, 324)  # of strips and tiles, which are gone through whatever their type


class Content(io.BytesIO):
    """A file in memory that ends a decoder's reading after ``MAX_READS`` times.

    Raises:
        UnsupportedImageError: By ``read``.
    """

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as ``io.BytesIO`` does, and count."""
        self._reads += 1
        _check(self._reads, MAX_READS, "pieces")
        return super().read(size)


def check_file(name: str, data: bytes) -> None:
    """Check how a file is put together, before a decoder opens it.

    Args:
        name: Its format, from ``formats.recognise``.
        data: All of it, broken or not.

    Raises:
        UnsupportedImageError: It is of more pieces than such files are.
        ImageTooLargeError: A run-length encoded BMP of too many pixels.
    """
    if name == "JPEG":
        _check_segments(data)
    elif name == "TIFF":
        check_tags(data)
    elif name == "BMP":
        _check_run_lengths(data)


def check_tags(data: bytes) -> None:
    """Check the first directory of a TIFF file, or of EXIF; where there is none, all is well.

    Raises:
        UnsupportedImageError: There are too many tags, or too many numbers in them.
    """
    tiff = data.removeprefix(b"Exif\0\0").removeprefix(b"Exif\0\0")
    if tiff[:2] not in (b"II", b"MM"):
        return
    order = "<" if tiff[:2] == b"II" else ">"
    is_big = tiff[2:3] == b"+"  # as Pillow has it, for whom a big-endian BigTIFF is none
    start = _number(tiff, 8, 8, order) if is_big else _number(tiff, 4, 4, order)
    count_bytes, offset = (8, f"{order}u8") if is_big else (2, f"{order}u4")
    n_tags = _number(tiff, start, count_bytes, order)
    start += count_bytes
    tag = np.dtype([("tag", f"{order}u2"), ("type", f"{order}u2"), ("count", offset), ("value", offset)])
    n_tags = min(n_tags, max(0, len(tiff) - start) // tag.itemsize)
    _check(n_tags, MAX_TAGS, "tags")
    if not n_tags:
        return
    tags = np.frombuffer(tiff, tag, n_tags, start)
    counts = tags["count"][~np.isin(tags["type"], _STAY_BYTES) | np.isin(tags["tag"], _OFFSETS)]
    _check(int(counts[counts <= len(tiff)].sum()), MAX_TAG_VALUES, "numbers in its tags")  # Pillow skips the others


def _check_segments(data: bytes) -> None:
    segments = scans = exif = 0
    components = b""
    at = 2
    while found := _MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _EOI and scans:  # Pillow looks past one in the header
            return
        segments += 1
        scans += marker == _SOS
        exif += marker == _APP1 and data.startswith(b"Exif\0\0", at + 2)
        _check(scans, MAX_SCANS, "scans")
        _check(exif, MAX_EXIF_SEGMENTS, "segments of EXIF")
        _check(segments, MAX_SEGMENTS, "segments")
        if marker in _SEQUENTIAL:
            components = data[at + 7 : at + 8]
        if marker == _SOS and data[at + 2 : at + 3] == components:
            return  # all of them in one scan, and the decoder takes no second one: most photographs end here
        if marker >= _SOF0 and marker not in (_SOI, _EOI):
            at += max(2, _number(data, at, 2))


def _check_run_lengths(data: bytes) -> None:
    if _number(data, 14, 4, "<") == _BMP_CORE_HEADER_BYTES or _number(data, 30, 4, "<") not in _BMP_RLE:
        return
    width, height = _number(data, 18, 4, "<"), abs(int.from_bytes(data[22:26], "little", signed=True))
    if width * height > MAX_RLE_PIXELS:
        raise ImageTooLargeError(
            f"got a run-length encoded BMP of {width}x{height} = {width * height:,} pixels; at most "
            f"{MAX_RLE_PIXELS:,} of that kind are read; save it as PNG"
        )


def _number(data: bytes, at: int, n_bytes: int, order: str = ">") -> int:
    return int.from_bytes(data[at : at + n_bytes], "little" if order == "<" else "big")


def _check(got: int, most: int, things: str) -> None:
    if got > most:
        raise UnsupportedImageError(
            f"got a file of more than {most:,} {things}, which would take far longer to read than its picture is "
            "large; save the image again with a common program"
        )
