"""Sizes, rounding and orientation of the way to the network's square and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alphacut_core import geometry

sides = st.integers(1, 90)


@given(width=sides, height=sides, size=st.integers(1, 64))
def test_sizes_are_those_asked_for(width: int, height: int, size: int) -> None:
    square = geometry.to_square(Image.new("RGB", (width, height)), size)
    assert square.shape == (size, size, 3)
    assert square.dtype == np.uint8
    assert square.flags.c_contiguous
    mask = geometry.to_picture(np.zeros((size, size), np.uint8), width, height)
    assert (mask.mode, mask.size) == ("L", (width, height))


@given(value=st.integers(0, 255), width=sides, height=sides)
def test_one_colour_stays_itself_there_and_back(value: int, width: int, height: int) -> None:
    square = geometry.to_square(Image.new("RGB", (width, height), (value, 0, 255 - value)), 32)
    np.testing.assert_array_equal(square, np.broadcast_to(np.uint8([value, 0, 255 - value]), (32, 32, 3)))
    assert geometry.to_picture(square[..., 0], width, height).getextrema() == (value, value)


@given(left=st.booleans(), top=st.booleans(), width=st.integers(16, 90), height=st.integers(16, 90))
def test_a_quarter_of_the_picture_stays_where_it_was(left: bool, top: bool, width: int, height: int) -> None:
    columns = slice(None, width // 2) if left else slice(width // 2, None)
    rows = slice(None, height // 2) if top else slice(height // 2, None)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[rows, columns] = 255
    mask = np.asarray(geometry.to_picture(geometry.to_square(Image.fromarray(pixels), 64)[..., 0], width, height))
    assert ((mask > 127) == (pixels[..., 0] > 127)).mean() > 0.9


def test_a_picture_of_the_right_size_is_not_resampled(photo: Image.Image) -> None:
    image = photo.crop((0, 0, 32, 32))
    np.testing.assert_array_equal(geometry.to_square(image, 32), np.asarray(image))


def test_a_mask_of_the_right_size_is_not_resampled() -> None:
    mask = np.random.default_rng(1).integers(0, 256, (24, 24), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(geometry.to_picture(mask, 24, 24)), mask)


def test_a_hard_edge_overshoots_to_no_further_than_black_and_white() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[:, 10:] = 255
    assert geometry.to_picture(mask, 133, 77).getextrema() == (0, 255)


def test_colours_under_transparency_are_seen(photo: Image.Image) -> None:
    hidden = photo.copy()
    hidden.putalpha(0)
    np.testing.assert_array_equal(geometry.to_square(hidden, 16), geometry.to_square(photo, 16))


@pytest.mark.parametrize("transparency", [3, bytes([0, 80, 160, 255] * 2)])
def test_a_palettes_transparency_changes_no_colour_and_raises_no_warning(
    photo: Image.Image, transparency: int | bytes
) -> None:
    palette = photo.quantize(8)
    expected = palette.convert("RGB")
    palette.info["transparency"] = transparency
    assert geometry.to_rgb(palette).tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK"])
def test_every_layout_reaches_the_network_as_pillow_converts_it(photo: Image.Image, mode: str) -> None:
    image = photo.convert(mode)
    expected = image.convert("RGB").resize((24, 24), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(geometry.to_square(image, 24), np.asarray(expected))
