"""The fast PNG encoder loses nothing, by two decoders' word; its files are sound and small, its memory bounded."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alphacut_core import codec, png
from alphacut_core.errors import UndecodableImageError

SAMPLES = sorted((Path(__file__).resolve().parents[3] / "samples").glob("*.jpg"))
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of each chunk; each one's checksum has to be right, and nothing may be left over."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(name + content),)
        yield name, content
        at += 12 + length


def filters_and_pixels(data: bytes) -> tuple[list[int], bytes]:
    """Decode as the standard says, row by row: the oracle beside Pillow."""
    (first, header), *rest = chunks(data)
    assert (first, rest[-1]) == (b"IHDR", (b"IEND", b""))
    width, height, depth, color_type, *methods = struct.unpack(">IIBBBBB", header)
    assert (depth, methods) == (8, [0, 0, 0])
    step = {0: 1, 4: 2, 2: 3, 6: 4}[color_type]
    raw = zlib.decompress(b"".join(content for name, content in rest if name == b"IDAT"))
    assert len(raw) == height * (1 + width * step)
    kinds, rows = [], [bytes(width * step)]
    for at in range(0, len(raw), 1 + width * step):
        kinds.append(raw[at])
        row = bytearray(raw[at + 1 : at + 1 + width * step])
        for i in range(len(row)):
            left = row[i - step] if i >= step else 0
            row[i] = (row[i] + (0, left, rows[-1][i])[kinds[-1]]) & 255
        rows.append(bytes(row))
    return kinds, b"".join(rows[1:])


@st.composite
def pictures(draw: st.DrawFn) -> Image.Image:
    """Noise, flat colours, slopes and stripes of any size and layout."""
    mode = draw(st.sampled_from(sorted(CHANNELS)))
    width, height = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, columns = np.mgrid[:height, :width]
    noise = rng.integers(0, 256, (height, width, CHANNELS[mode]), dtype=np.uint8)
    slope = (rows * rng.integers(-9, 9) + columns * rng.integers(-9, 9)).astype(np.uint8)[..., None]
    amount = draw(st.sampled_from([0, 1, 16, 255]))
    values = slope + np.minimum(noise, amount).astype(np.uint8)
    return Image.fromarray(values[..., 0] if mode == "L" else values, mode)


@given(picture=pictures(), band_bytes=st.sampled_from([1, 100, 1_000, 1 << 20]))
def test_no_pixel_is_lost(picture: Image.Image, band_bytes: int) -> None:
    with mock.patch.object(png, "_BAND_BYTES", band_bytes):
        data = png.encode(picture)
    with Image.open(io.BytesIO(data)) as decoded:
        assert (decoded.format, decoded.mode, decoded.size) == ("PNG", picture.mode, picture.size)
        assert decoded.tobytes() == picture.tobytes()
    assert filters_and_pixels(data)[1] == picture.tobytes()


def test_every_filter_is_used_where_it_pays(photo: Image.Image) -> None:
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    along = np.cumsum(rng.integers(-2, 3, (64, 64)), 1) + rng.integers(0, 256, (64, 1))
    down = np.cumsum(rng.integers(-2, 3, (64, 64)), 0) + rng.integers(0, 256, (1, 64))
    picture = Image.fromarray(np.concatenate([noise, along, down]).astype(np.uint8))
    with mock.patch.object(png, "_BAND_BYTES", 64 * 64):
        kinds, pixels = filters_and_pixels(png.encode(picture))
    assert kinds == [0] * 64 + [1] * 64 + [2] * 64
    assert pixels == picture.tobytes()


@pytest.mark.parametrize("mode", sorted(CHANNELS))
def test_a_picture_of_several_bands_loses_no_pixel(mode: str) -> None:
    with Image.open(SAMPLES[0]) as photo:
        picture = photo.convert(mode).resize((1500, 1001), Image.Resampling.NEAREST)
    assert len(picture.tobytes()) > png._BAND_BYTES
    with Image.open(io.BytesIO(png.encode(picture))) as decoded:
        assert decoded.tobytes() == picture.tobytes()


def test_colours_under_full_transparency_are_kept(photo: Image.Image) -> None:
    hidden = photo.copy()
    hidden.putalpha(0)
    assert codec.decode(png.encode(hidden)).tobytes() == hidden.tobytes()


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_level_is_lossless_in_every_layout(photo_with_alpha: Image.Image, mode: str, level: int) -> None:
    image = photo_with_alpha.convert(mode)
    with Image.open(io.BytesIO(codec.encode_png(image, level))) as decoded:
        assert decoded.mode == mode
        assert decoded.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()


@pytest.mark.parametrize(("mode", "transparent"), [("L", 7), ("RGB", (0, 0, 0))])
def test_a_transparent_colour_is_kept(photo: Image.Image, mode: str, transparent: int | tuple[int, ...]) -> None:
    image = photo.convert(mode)
    image.info["transparency"] = transparent
    with Image.open(io.BytesIO(codec.encode_png(image))) as decoded:
        assert decoded.info["transparency"] == transparent


def test_sixteen_bits_are_kept(deep: Image.Image) -> None:
    with Image.open(io.BytesIO(codec.encode_png(deep))) as decoded:
        assert np.array_equal(decoded, deep)


def test_a_profile_is_attached_as_the_standard_says(photo: Image.Image, srgb: bytes) -> None:
    names_and_contents = list(chunks(png.encode(photo, srgb)))
    assert [name for name, _ in names_and_contents[:3]] == [b"IHDR", b"iCCP", b"IDAT"]
    name, _, rest = names_and_contents[1][1].partition(b"\0")
    assert name == b"ICC Profile"
    assert (rest[:1], zlib.decompress(rest[1:])) == (b"\0", srgb)


def test_a_flipped_bit_is_found_by_the_checksums(photo: Image.Image) -> None:
    data = png.encode(photo)
    for at in range(8, len(data), 97):
        broken = bytearray(data)
        broken[at] ^= 4
        with (
            pytest.raises((SyntaxError, OSError, ValueError)),
            Image.open(io.BytesIO(broken)) as image,
        ):
            image.verify()


def test_a_file_cut_off_is_refused(photo_with_alpha: Image.Image) -> None:
    data = png.encode(photo_with_alpha)
    for length in range(60, len(data) - 20, len(data) // 7):
        with pytest.raises(UndecodableImageError):
            codec.decode(data[:length])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_files_are_about_as_small_as_zlibs(sample: Path) -> None:
    with Image.open(sample) as opened:
        photo = opened.convert("RGB")
    rows, columns = np.mgrid[: photo.height, : photo.width]
    radius = np.hypot(rows / photo.height - 0.5, columns / photo.width - 0.5)
    mask = Image.fromarray(np.clip((0.4 - radius) * 4_000, 0, 255).astype(np.uint8))
    cutout = photo.copy()
    cutout.putalpha(mask)
    dark = Image.composite(cutout, Image.new("RGBA", cutout.size, 0), mask)
    for picture in (mask, cutout, dark):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=1)
        assert len(png.encode(picture)) < 1.12 * len(buffer.getvalue()), picture.mode


def test_empty_rows_cost_next_to_nothing() -> None:
    picture = Image.new("RGBA", (2_000, 1_500))
    assert len(png.encode(picture)) < len(picture.tobytes()) / 900


def test_memory_does_not_grow_with_the_picture() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    picture = Image.fromarray(np.tile(noise, (4, 4, 1)))
    tracemalloc.start()
    try:
        data = png.encode(picture)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(picture.tobytes()) > 11 * png._BAND_BYTES
    assert peak_bytes < 2 * len(data) + 7 * png._BAND_BYTES
