"""Files within the limits that would take far more time or memory than they look are refused, odd ones are not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from alphacut_core import bombs, codec
from alphacut_core.errors import ImageTooLargeError, UnsupportedImageError

EXIF = b"Exif\0\0"
ORIENTATION, STRIP_OFFSETS, TILE_OFFSETS = 274, 273, 324
BYTE, SHORT, LONG, RATIONAL = 1, 3, 4, 5


def jpeg(**parameters: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").save(buffer, "JPEG", **parameters)
    return buffer.getvalue()


def in_header(*segments: bytes) -> bytes:
    """Return a JPEG with these pieces before all others."""
    return jpeg()[:2] + b"".join(segments) + jpeg()[2:]


def exif_segment(content: bytes = b"") -> bytes:
    return b"\xff\xe1" + struct.pack(">H", 2 + len(EXIF) + len(content)) + EXIF + content


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG of ``count`` scans: the last one again and again."""
    data = jpeg(progressive=True)
    last, end = data.rindex(b"\xff\xc4", 0, data.rindex(b"\xff\xda")), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * (count - data.count(b"\xff\xda")) + data[end:]


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(*chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND")


def gif(n_blocks: int) -> bytes:
    comment = b"!\xfe" + b"\x01x" * n_blocks + b"\0"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\0;"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + comment + frame


def directory(order: str, is_big: bool, *tags: tuple[int, int, int, int], values: bytes = b"") -> bytes:
    """Return a TIFF of one directory; tags are their number, type, count, and value or offset into the file.

    ``values`` begin at 16.
    """
    mark = b"II" if order == "<" else b"MM"
    start = 16 + len(values)
    head = struct.pack(order + "HHHQ", 43, 8, 0, start) if is_big else struct.pack(order + "HIxxxxxxxx", 42, start)
    entries = b"".join(struct.pack(order + ("HHQQ" if is_big else "HHII"), *tag) for tag in sorted(tags))
    return mark + head + values + struct.pack(order + ("Q" if is_big else "H"), len(tags)) + entries + bytes(8)


def grey_tiff(tag: int, type_: int, count: int, *, is_big: bool = False, order: str = "<") -> bytes:
    sides = ((256, LONG, 1, 4), (257, LONG, 1, 4), (258, LONG, 1, 8), (262, LONG, 1, 1), (322, LONG, 1, 1))
    size = {BYTE: 1, SHORT: 2, LONG: 4, RATIONAL: 8}[type_]
    return directory(order, is_big, *sides, (323, LONG, 1, 1), (tag, type_, count, 16), values=bytes(size * count))


def webp_with_exif(exif: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP", exif=exif)
    return buffer.getvalue()


def run_length_bmp(width: int, height: int, content: bytes) -> bytes:
    palette = bytes(value for level in range(256) for value in (level, 0, 0, 0))
    start = 14 + 40 + len(palette)
    file = struct.pack("<2sIHHI", b"BM", start + len(content), 0, 0, start)
    return file + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0) + palette + content


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "scans of a JPEG": (lambda: with_scans(101), "more than 100 scans"),
    "EXIF segments of a JPEG": (lambda: in_header(exif_segment() * 17), "more than 16 segments of EXIF"),
    "EXIF segments after an end": (lambda: in_header(b"\xff\xd9", exif_segment() * 17), "more than 16 segments of"),
    "empty segments of a JPEG": (lambda: in_header(b"\xff\xe5\0\x02" * 4_097), "more than 4,096 segments"),
    "starts of a JPEG": (lambda: in_header(b"\xff\xd8" * 4_097), "more than 4,096 segments"),
    "padding of a JPEG": (lambda: in_header(b"\xff" * 400_000), "more than 300,000 pieces"),
    "empty chunks of a PNG": (lambda: png(chunk(b"abCd") * 160_000), "more than 300,000 pieces"),
    "empty pixels of a PNG": (lambda: png(chunk(b"IDAT") * 200_000), "more than 300,000 pieces"),
    "comments of a GIF": (lambda: gif(160_000), "more than 300,000 pieces"),
    "runs outside of a BMP": (lambda: run_length_bmp(1, 10, b"\x01\0" * 160_000), "more than 300,000 pieces"),
    "tiles of a TIFF": (lambda: grey_tiff(TILE_OFFSETS, LONG, 300_000), "more than 262,144 numbers in its tags"),
    "tiles as bytes": (lambda: grey_tiff(TILE_OFFSETS, BYTE, 300_000), "more than 262,144 numbers in its tags"),
    "strips of a TIFF": (lambda: grey_tiff(STRIP_OFFSETS, SHORT, 300_000, order=">"), "more than 262,144 numbers"),
    "tags of a BigTIFF": (lambda: directory("<", True, *[(1, SHORT, 1, 0)] * 5_000), "more than 4,096 tags"),
    "numbers of a BigTIFF": (lambda: grey_tiff(ORIENTATION, RATIONAL, 300_000, is_big=True), "more than 262,144"),
    "numbers in EXIF": (
        lambda: webp_with_exif(EXIF + grey_tiff(ORIENTATION, RATIONAL, 300_000)),
        "more than 262,144 numbers in its tags",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_far_too_many_pieces_is_refused_with_their_number_and_the_way_out(name: str) -> None:
    make, said = REFUSED[name]
    with pytest.raises(UnsupportedImageError, match=f"got a file of {said}.*; save the image again"):
        codec.decode(make())


@pytest.mark.parametrize(("width", "height"), [(65_535, 762), (65_535, -762), (1_449, 1_448)])
def test_a_run_length_encoded_bitmap_of_many_pixels_is_refused(width: int, height: int) -> None:
    data = run_length_bmp(width, height, b"\x01\0\0\0" * 800)
    with pytest.raises(ImageTooLargeError, match=f"got a run-length encoded BMP of {width}x{abs(height)} = .* as PNG"):
        codec.decode(data)


def test_a_small_run_length_encoded_bitmap_is_read() -> None:
    decoded = codec.decode(run_length_bmp(4, 2, b"\x04\x07\0\0\x01\x08\x03\x09\0\x01"))
    assert np.asarray(decoded.convert("P")).tolist() == [[8, 9, 9, 9], [7, 7, 7, 7]]


@pytest.mark.parametrize("count", [20, 100])
def test_a_jpeg_of_many_scans_is_read(count: int) -> None:
    assert codec.decode(with_scans(count)).size == (256, 256)


def test_what_follows_a_jpegs_end_counts_for_nothing() -> None:
    for data in (jpeg(), jpeg(progressive=True)):
        assert codec.decode(data + with_scans(101)).size == (256, 256)


def test_exif_in_several_segments_is_read() -> None:
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    first = exif_segment(turned.tobytes().removeprefix(EXIF))
    data = in_header(first, exif_segment(bytes(1_000)) * 15)
    assert codec.decode(data).tobytes() == codec.decode(jpeg()).transpose(Image.Transpose.ROTATE_270).tobytes()


def test_a_tiff_of_as_many_strips_as_it_may_have_rows_is_read() -> None:
    rows = 65_535
    offsets = np.arange(rows, dtype="<u4") % 2 + 16
    tags = ((256, LONG, 1, 1), (257, LONG, 1, rows), (258, LONG, 1, 8), (262, LONG, 1, 1), (278, LONG, 1, 1))
    places = ((STRIP_OFFSETS, LONG, rows, 20), (279, LONG, rows, 20 + 4 * rows))
    values = b"\x07\x09\0\0" + offsets.tobytes() + np.ones(rows, "<u4").tobytes()
    decoded = np.asarray(codec.decode(directory("<", False, *tags, *places, values=values)))
    assert decoded.shape == (rows, 1)
    assert decoded[:4, 0].tolist() == [7, 9, 7, 9]


@pytest.mark.parametrize("type_", [BYTE, 2, 7])
def test_a_large_private_tag_of_bytes_is_no_reason_to_refuse_a_tiff(type_: int) -> None:
    bombs.check_tags(directory("<", False, (37_724, type_, 400_000, 16), values=bytes(400_000)))


def test_a_tag_longer_than_the_file_which_decoders_skip_is_no_reason_to_refuse_it() -> None:
    bombs.check_tags(directory("<", False, (60_000, SHORT, 4_000_000_000, 16)))


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"II+\0\x08\0\0\0" + b"\xff" * 8, b"MM\0*" + b"\xff" * 9, b"Exif\0\0x"]
)
def test_no_directory_is_no_bomb(data: bytes) -> None:
    bombs.check_tags(data)
