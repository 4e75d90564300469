from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from alphacut_core import codec
from alphacut_core.errors import InputError
from alphacut_training import truth

from .conftest import disc

SUBJECT = np.asarray(disc(0)[1]) > 0
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, *[0] * (3 * 4), 128, 128, 128, *[0] * (3 * 247), 224, 224, 192]
"""Black, the first two colours of subjects, car's grey as number 7, and 255, which nobody decided on."""


def read(mask: Image.Image, image_format: str = "PNG") -> np.ndarray:
    """Bring a mask to grey by way of a file."""
    file = io.BytesIO()
    mask.save(file, image_format)
    return np.asarray(truth.to_grey(codec.decode(file.getvalue())))


def indexed(numbers: np.ndarray, palette: list[int]) -> Image.Image:
    mask = Image.fromarray(numbers.astype(np.uint8))
    mask.putpalette(palette)
    assert mask.mode == "P"
    return mask


def test_a_palette_of_greys_is_read_by_its_colours() -> None:
    assert np.array_equal(read(indexed(SUBJECT, [0, 0, 0, 255, 255, 255])), SUBJECT * 255)
    assert np.array_equal(read(indexed(SUBJECT, [255, 255, 255, 0, 0, 0])), ~SUBJECT * 255)
    soft = Image.fromarray((SUBJECT * 180).astype(np.uint8))
    assert np.array_equal(read(soft.convert("P")), SUBJECT * 180)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_every_colour_of_a_palette_but_black_is_subject(number: int) -> None:
    assert np.array_equal(read(indexed(SUBJECT * number, VOC)), SUBJECT * 255)


def test_what_nobody_decided_on_is_background() -> None:
    numbers = SUBJECT * 1
    numbers[:9] = 255
    expected = SUBJECT * 255
    expected[:9] = 0
    assert np.array_equal(read(indexed(numbers, VOC)), expected)


def test_colours_that_leave_the_subject_open_are_refused() -> None:
    with pytest.raises(InputError, match=r"no black.*export it as 8-bit grey"):
        read(indexed(SUBJECT, [255, 0, 0, 0, 255, 0]))
    red = Image.fromarray((SUBJECT[..., None] * [200, 0, 0]).astype(np.uint8))
    with pytest.raises(InputError, match=r"has colours.*export it as 8-bit grey"):
        read(red)


@pytest.mark.parametrize(("mode", "image_format"), [("1", "PNG"), ("RGB", "PNG"), ("RGB", "JPEG"), ("CMYK", "TIFF")])
def test_black_and_white_is_read_whatever_the_layout(mode: str, image_format: str) -> None:
    found = read(disc(0)[1].convert(mode), image_format)
    assert np.array_equal(found > 127, SUBJECT)


@pytest.mark.parametrize("colour", ["white", "LA"])
def test_transparent_areas_are_background(colour: str) -> None:
    alpha = disc(0)[1]
    mask = Image.new("RGB", alpha.size, "white") if colour == "white" else Image.new("L", alpha.size, 255)
    mask.putalpha(alpha)
    assert np.array_equal(read(mask), SUBJECT * 255)


def test_an_opaque_alpha_changes_nothing() -> None:
    assert np.array_equal(read(disc(0)[1].convert("RGBA")), SUBJECT * 255)


def test_a_transparent_colour_of_a_palette_is_background() -> None:
    file = io.BytesIO()
    indexed(SUBJECT, [255, 255, 255, 255, 255, 255]).save(file, "PNG", transparency=bytes([0, 255]))
    assert np.array_equal(np.asarray(truth.to_grey(codec.decode(file.getvalue()))), SUBJECT * 255)


def test_zero_and_one_are_stretched() -> None:
    assert np.array_equal(read(Image.fromarray(SUBJECT.astype(np.uint8))), SUBJECT * 255)


@pytest.mark.parametrize("value", [2, 38, 127])
def test_a_mask_of_dark_greys_is_refused(value: int) -> None:
    with pytest.raises(InputError, match=f"brightest value of its mask is {value}.*255 where the subject is"):
        read(Image.fromarray((SUBJECT * value).astype(np.uint8)))


def test_an_empty_mask_stays_empty() -> None:
    assert not read(ImageOps.colorize(Image.new("L", (9, 9)), "black", "white")).any()
