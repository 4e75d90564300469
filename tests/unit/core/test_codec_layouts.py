"""Every pixel layout and animation is read in the way that the docstrings state, or refused by name."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from alphacut_core import codec, formats
from alphacut_core.errors import EmptyImageError, UndecodableImageError, UnsupportedImageError


def png(width: int, height: int, depth: int, color_type: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG by hand, for layouts that Pillow reads but does not write; ``chunks`` come before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    everything = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in everything
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_keeps_its_layout_and_its_pixels(
    saved: Callable[..., bytes], photo_with_alpha: Image.Image, mode: str
) -> None:
    image = photo_with_alpha.convert(mode)
    decoded = codec.decode(saved(image, "PNG"))
    assert decoded.mode == mode
    assert decoded.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()


def test_palette_transparency_survives_as_index_and_as_table(saved: Callable[..., bytes], photo: Image.Image) -> None:
    palette = photo.quantize(8)
    by_index = codec.decode(saved(palette, "PNG", transparency=3))
    by_table = codec.decode(saved(palette, "PNG", transparency=bytes([0, 80, 160, 255] * 2)))
    for decoded in (by_index, by_table):
        assert decoded.has_transparency_data
    assert set(np.unique(by_table.convert("RGBA").getchannel("A"))) == {0, 80, 160, 255}


def test_cmyk_jpeg_stays_cmyk(saved: Callable[..., bytes], photo: Image.Image) -> None:
    cmyk = photo.convert("CMYK")
    decoded = codec.decode(saved(cmyk, "JPEG", quality=95))
    assert decoded.mode == "CMYK"
    assert np.abs(np.asarray(decoded, np.int16) - np.asarray(cmyk, np.int16)).mean() < 8


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_16_bit_greys_are_scaled_and_not_clipped(
    saved: Callable[..., bytes], deep: Image.Image, format_name: str
) -> None:
    decoded = codec.decode(saved(deep, format_name))
    assert decoded.mode == "L"
    np.testing.assert_array_equal(np.asarray(decoded), np.asarray(deep) >> 8)


def test_16_bit_greys_with_a_transparent_value_keep_it(deep: Image.Image) -> None:
    rows = struct.pack(">B3H", 0, 0, 40_000, 40_001)  # the second is the transparent one, the third just beside it
    decoded = codec.decode(png(3, 1, 16, 0, rows, (b"tRNS", struct.pack(">H", 40_000))))
    assert decoded.mode == "LA"
    np.testing.assert_array_equal(np.asarray(decoded), [[[0, 255], [156, 0], [156, 255]]])


@pytest.mark.parametrize(
    ("depth", "value", "row"), [(1, 1, 0b1000_0000), (2, 2, 0b1000_0000), (2, 3, 0b1100_0000), (4, 9, 0b1001_0000)]
)
def test_greys_of_few_bits_with_a_transparent_value_keep_it(depth: int, value: int, row: int) -> None:
    decoded = codec.decode(png(2, 1, depth, 0, bytes([0, row]), (b"tRNS", struct.pack(">H", value))))
    assert np.asarray(decoded.convert("RGBA"))[0].tolist()[1] == [0, 0, 0, 255]
    assert np.asarray(decoded.convert("RGBA"))[0, 0].tolist() == [value * 255 // (2**depth - 1)] * 3 + [0]


def test_48_bit_colours_with_a_transparent_one_keep_it() -> None:
    first, second = (0x8000, 0x4000, 0xFFFF), (0, 0, 0)
    rows = struct.pack(">B6H", 0, *first, *second)
    decoded = codec.decode(png(2, 1, 16, 2, rows, (b"tRNS", struct.pack(">3H", *first))))
    assert np.asarray(decoded.convert("RGBA"))[0].tolist() == [[128, 64, 255, 0], [0, 0, 0, 255]]


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("compression", [None, "tiff_adobe_deflate"])
def test_16_bit_greys_that_count_down_from_white_are_not_read_as_their_negative(
    saved: Callable[..., bytes], deep: Image.Image, turn: int, compression: str | None
) -> None:
    tags = ImageFileDirectory_v2()
    tags[274] = turn
    upwards = saved(deep, "TIFF", tiffinfo=tags, compression=compression)
    entry = struct.pack("<HHI", 262, 3, 1)
    at = upwards.index(entry) + len(entry)
    downwards = upwards[:at] + struct.pack("<H", 0) + upwards[at + 2 :]
    expected = np.asarray(codec.decode(upwards)).astype(int)
    np.testing.assert_array_equal(np.asarray(codec.decode(downwards)).astype(int), 255 - expected)


def test_48_bit_colours_and_16_bit_greys_are_scaled_alike() -> None:
    values = (0, 255, 256, 32_767, 65_279, 65_535)
    grey = codec.decode(png(6, 1, 16, 0, struct.pack(">B6H", 0, *values)))
    rgb = codec.decode(png(6, 1, 16, 2, struct.pack(">B18H", 0, *(value for value in values for _ in range(3)))))
    assert rgb.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(rgb)[..., 1], np.asarray(grey))


def test_big_endian_16_bit_greys_are_read_alike(deep: Image.Image) -> None:
    swapped = Image.frombytes("I;16B", deep.size, np.asarray(deep).astype(">u2").tobytes())
    assert codec.upright(swapped).tobytes() == codec.upright(deep).tobytes()


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "AVIF", "TIFF", "MPO"])
def test_of_several_pictures_the_first_is_taken(saved: Callable[..., bytes], format_name: str) -> None:
    first, second = Image.new("RGB", (40, 30), (250, 0, 0)), Image.new("RGB", (40, 30), (0, 0, 250))
    data = saved(first, format_name, save_all=True, append_images=[second])
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.n_frames == 2
    red, _, blue = codec.decode(data).convert("RGB").getpixel((20, 15))
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize(("mode", "simpler"), [("La", "LA"), ("RGBa", "RGBA"), ("HSV", "RGB"), ("LAB", "RGB")])
def test_uncommon_layouts_become_common_ones(photo_with_alpha: Image.Image, mode: str, simpler: str) -> None:
    source = {"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
    upright = codec.upright(photo_with_alpha.convert(source).convert(mode))
    assert upright.mode == simpler


@pytest.mark.parametrize(("dtype", "said"), [(np.float32, "floating-point"), (np.int32, "32-bit integer")])
def test_pixels_of_an_unstated_range_are_refused_before_they_are_decoded(
    saved: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, dtype: type, said: str
) -> None:
    data = saved(Image.fromarray(np.ones((4, 5), dtype)), "TIFF")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    with pytest.raises(UnsupportedImageError, match=f"got {said} pixels.*convert the image to 8 or 16 bits"):
        codec.decode(data)


def test_12_bit_greys_are_refused_rather_than_darkened(saved: Callable[..., bytes]) -> None:
    tags = ImageFileDirectory_v2()
    tags[258] = 12
    data = saved(Image.new("L", (8, 2)), "TIFF", tiffinfo=tags)
    # Pillow does not write 12 bits, so the tag of a sound 8-bit file is overwritten.
    at = data.index(struct.pack("<HHIH", 258, 3, 1, 8))
    data = data[: at + 8] + struct.pack("<H", 12) + data[at + 10 :]
    with pytest.raises(UnsupportedImageError, match="got 12 bits a channel; convert"):
        codec.decode(data)


def test_no_bytes_are_refused_as_such() -> None:
    with pytest.raises(EmptyImageError, match="got 0 bytes; send"):
        codec.decode(b"")


@pytest.mark.parametrize("data", [b"Dear photo.jpg,\n", b"\0", b"%PDF-1.7", b"\0\0\0\x1cftypisom\0\0\0\0"])
def test_what_is_no_accepted_image_is_refused_with_the_list_of_what_is(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match=r"got .* that begin with .*accepted are JPEG, PNG, WEBP"):
        codec.decode(data)


@pytest.mark.parametrize("name", ["png-RGB", "jpeg", "webp", "gif", "bmp-RGB", "tiff-RGB", "avif"])
def test_a_truncated_file_is_refused_as_undecodable(corpus: dict[str, bytes], name: str) -> None:
    data = corpus[name][: len(corpus[name]) * 2 // 3]
    with pytest.raises(UndecodableImageError, match=f"got {len(data):,} bytes of .* broken or cut off"):
        codec.decode(data)


def test_what_a_broken_file_holds_does_not_fill_the_message(saved: Callable[..., bytes]) -> None:
    tags = ImageFileDirectory_v2()
    tags[259] = 1
    data = saved(Image.new("L", (8, 2)), "TIFF", tiffinfo=tags)
    at = data.index(struct.pack("<HHIH", 259, 3, 1, 1))
    data = data[:at] + struct.pack("<HHII", 259, 7, 20_000, len(data)) + data[at + 12 :] + b"A" * 20_000
    with pytest.raises(
        UndecodableImageError, match=r"broken or cut off \(SyntaxError: b'AAA.*save or download"
    ) as caught:
        codec.decode(data)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("sides", [(0, 5), (5, 0), (0, 0)])
def test_a_png_without_pixels_is_refused_with_its_sides(sides: tuple[int, int]) -> None:
    with pytest.raises(UnsupportedImageError, match=f"got an image of {sides[0]}x{sides[1]} pixels; both sides"):
        codec.decode(png(*sides, 8, 2, b""))


@pytest.mark.parametrize("name", ["GIF", "BMP", "JPEG"])
def test_other_files_without_pixels_are_refused(saved: Callable[..., bytes], name: str) -> None:
    data = saved(Image.new("L", (300, 300)), name)
    side = struct.pack(">H" if name == "JPEG" else "<H", 300)
    with pytest.raises((UnsupportedImageError, UndecodableImageError)):
        codec.decode(data.replace(side, b"\0\0"))


def test_a_heic_image_is_read_or_the_missing_package_is_named(saved: Callable[..., bytes], photo: Image.Image) -> None:
    try:
        import pillow_heif
    except ImportError:
        with pytest.raises(UnsupportedImageError, match=r"got a HEIC image; .* HEIC where pillow-heif is installed"):
            codec.decode(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")
        return
    pillow_heif.register_heif_opener()
    data = saved(photo, "HEIF")
    assert formats.recognise(data) == formats.HEIC_FORMAT
    assert codec.decode(data).size == photo.size


def test_avif_that_calls_itself_mif1_is_told_from_heic() -> None:
    assert formats.recognise(b"\0\0\0\x20ftypmif1\0\0\0\0miafMA1Bavif") == "AVIF"
