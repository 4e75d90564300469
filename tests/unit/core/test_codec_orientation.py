"""EXIF orientation, in all eight ways, in every format that carries it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from alphacut_core import codec

# What EXIF means by its eight values, as a viewer has to read the stored rows and columns.
SHOWN = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WEBP"])
def test_pixels_are_turned_as_exif_says(
    saved: Callable[..., bytes], photo: Image.Image, format_name: str, orientation: int
) -> None:
    parameters = {"lossless": True} if format_name == "WEBP" else {}
    data = saved(photo, format_name, exif=exif(orientation), **parameters)
    expected = SHOWN[orientation](np.asarray(photo))
    np.testing.assert_array_equal(np.asarray(codec.decode(data)), expected)
    header = codec.read_header(data)
    assert (header.height, header.width) == expected.shape[:2]


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("format_name", ["JPEG", "AVIF"])
def test_lossy_pictures_are_turned_as_exif_says(
    saved: Callable[..., bytes], photo: Image.Image, format_name: str, orientation: int
) -> None:
    stored = codec.decode(saved(photo, format_name, quality=90))
    data = saved(photo, format_name, quality=90, exif=exif(orientation))
    np.testing.assert_array_equal(np.asarray(codec.decode(data)), SHOWN[orientation](np.asarray(stored)))
    header = codec.read_header(data)
    assert (header.width, header.height) == codec.decode(data).size


@pytest.mark.parametrize("orientation", SHOWN)
def test_a_reduced_jpeg_is_turned_too(saved: Callable[..., bytes], photo: Image.Image, orientation: int) -> None:
    large = photo.resize((530, 370))
    reduced = codec.decode_reduced(saved(large, "JPEG", quality=95, exif=exif(orientation)), 20)
    expected = Image.fromarray(SHOWN[orientation](np.asarray(large))).resize(reduced.size, Image.Resampling.BOX)
    assert max(reduced.size) < 530
    assert np.abs(np.asarray(reduced, np.int16) - np.asarray(expected, np.int16)).mean() < 8


@pytest.mark.parametrize("orientation", SHOWN)
def test_a_pil_image_is_turned_as_pillow_turns_it_and_only_once(photo: Image.Image, orientation: int) -> None:
    image = photo.copy()
    image.info["exif"] = exif(orientation).tobytes()
    upright = codec.upright(image)
    assert upright.tobytes() == ImageOps.exif_transpose(image).tobytes()
    assert codec.upright(upright).tobytes() == upright.tobytes()


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_exif_does_not_know_counts_as_none(
    saved: Callable[..., bytes], photo: Image.Image, value: int
) -> None:
    data = saved(photo, "PNG", exif=exif(value))
    assert codec.decode(data).tobytes() == photo.tobytes()


def test_exif_that_cannot_be_read_does_not_cost_the_picture(saved: Callable[..., bytes], photo: Image.Image) -> None:
    data = saved(photo, "PNG", exif=b"Exif\0\0no directory at all")
    assert codec.decode(data).tobytes() == photo.tobytes()
    assert codec.read_header(data).width == photo.width


def test_exif_that_cannot_be_written_back_does_not_cost_the_picture(
    saved: Callable[..., bytes], photo: Image.Image
) -> None:
    tags = exif(6)
    tags[0x011A] = 72.0  # a fraction, which is made an integer's type below; Pillow reads that but cannot write it
    broken = tags.tobytes().replace(b"\x01\x1a\x00\x05", b"\x01\x1a\x00\x02")
    data = saved(photo, "PNG", exif=broken)
    assert codec.decode(data).size == (photo.height, photo.width)


def test_orientation_in_xmp_counts_as_it_does_for_pillow(saved: Callable[..., bytes], photo: Image.Image) -> None:
    data = saved(photo, "JPEG", xmp=b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>')
    assert codec.decode(data).size == (photo.height, photo.width)
    assert codec.read_header(data).width == photo.height


def test_a_pngs_header_is_read_without_its_pixels(
    saved: Callable[..., bytes], photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "a camera")
    with_exif, without_exif = saved(photo, "PNG", exif=exif(8), pnginfo=text), saved(photo, "PNG", pnginfo=text)
    decoded: list[object] = []

    def load_prepare(image: PngImagePlugin.PngImageFile) -> None:
        decoded.append(image)

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", load_prepare)
    assert codec.read_header(with_exif).width == photo.height
    assert codec.read_header(without_exif).width == photo.width
    assert not decoded


def test_exif_behind_a_pngs_pixels_is_found(saved: Callable[..., bytes], photo: Image.Image) -> None:
    data = saved(photo, "PNG", exif=exif(6))
    at = data.index(b"eXIf") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    chunk, rest = data[at : at + length], data[:at] + data[at + length :]
    end = rest.index(b"IEND") - 4
    moved = rest[:end] + chunk + rest[end:]
    assert moved.index(b"eXIf") > moved.index(b"IDAT")
    assert codec.decode(moved).size == (photo.height, photo.width)
    assert codec.read_header(moved).width == photo.height
