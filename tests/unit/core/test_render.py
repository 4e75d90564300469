"""What callers asked for, made of a picture and a mask."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from alphacut_core import render
from alphacut_core.errors import ImageTooLargeError
from alphacut_core.options import Options

MASK = np.random.default_rng(5).integers(0, 256, (32, 32), dtype=np.uint8)
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"]


def full_mask(image: Image.Image) -> Image.Image:
    return Image.fromarray(MASK).resize(image.size, Image.Resampling.LANCZOS)


def test_a_mask_is_the_engines_at_the_pictures_size(photo: Image.Image) -> None:
    mask = render.render(photo, MASK, Options(output="mask"))
    assert (mask.mode, mask.size) == ("L", photo.size)
    assert mask.tobytes() == full_mask(photo).tobytes()


@pytest.mark.parametrize("color", ["straight", "rembg"])
@pytest.mark.parametrize("mode", MODES)
def test_a_cutout_is_rgba_of_the_pictures_size_whatever_came_in(photo: Image.Image, mode: str, color: str) -> None:
    image = photo.convert(mode)
    before = image.tobytes()
    cutout = render.render(image, MASK, Options(color=color))
    assert (cutout.mode, cutout.size) == ("RGBA", photo.size)
    assert image.tobytes() == before, "the picture that was handed over has changed"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_straight_keeps_the_colours_and_puts_the_mask_into_alpha(photo: Image.Image, mode: str) -> None:
    image = photo.convert(mode)
    cutout = render.straight(image, full_mask(image))
    assert cutout.convert("RGB").tobytes() == image.convert("RGB").tobytes()
    assert cutout.getchannel("A").tobytes() == full_mask(image).tobytes()


@given(alpha=st.integers(0, 255), mask=st.integers(0, 255))
def test_transparency_that_was_there_is_multiplied_and_rounded(alpha: int, mask: int) -> None:
    image = Image.new("RGBA", (1, 1), (9, 99, 199, alpha))
    cutout = render.straight(image, Image.new("L", (1, 1), mask))
    assert cutout.getpixel((0, 0)) == (9, 99, 199, round(alpha * mask / 255))


@pytest.mark.parametrize("transparency", [3, bytes([0, 80, 160, 255] * 2)])
def test_a_palettes_transparency_stays_transparent(photo: Image.Image, transparency: int | bytes) -> None:
    image = photo.quantize(8)
    image.info["transparency"] = transparency
    opaque = Image.new("L", image.size, 255)
    assert render.straight(image, opaque).tobytes() == image.convert("RGBA").tobytes()


def test_a_colour_that_is_declared_transparent_stays_so() -> None:
    image = Image.new("RGB", (2, 1), (7, 8, 9))
    image.putpixel((1, 0), (70, 80, 90))
    image.info["transparency"] = (7, 8, 9)
    cutout = render.render(image, np.full((4, 4), 200, np.uint8), Options())
    assert [cutout.getpixel((x, 0))[3] for x in (0, 1)] == [0, 200]


def test_rembg_colours_are_multiplied_by_the_mask() -> None:
    cutout = render.premultiplied(Image.new("RGB", (1, 1), (200, 100, 50)), Image.new("L", (1, 1), 128))
    assert cutout.getpixel((0, 0)) == (100, 50, 25, 128)


def test_a_background_shows_where_the_mask_does_not(photo: Image.Image) -> None:
    half = np.zeros((32, 32), np.uint8)
    half[:, 16:] = 255
    picture = render.render(photo, half, Options(background=(1, 2, 3, 255)))
    assert picture.getpixel((2, 20)) == (1, 2, 3, 255)
    assert picture.getpixel((50, 20)) == (*photo.getpixel((50, 20)), 255)
    assert picture.getextrema()[3] == (255, 255)


def test_a_background_changes_no_mask(photo: Image.Image) -> None:
    asked = Options(output="mask", background=(1, 2, 3, 255))
    assert render.render(photo, MASK, asked).tobytes() == full_mask(photo).tobytes()


def profile_of(data: bytes) -> bytes | None:
    with Image.open(io.BytesIO(data)) as image:
        return image.info.get("icc_profile")


def rendered_file(image: Image.Image, options: Options) -> bytes:
    picture = render.render(image, MASK, options)
    return render.encode(picture, options)


@pytest.mark.parametrize("format_name", ["png", "webp"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_straight_cutout_keeps_the_profile_of_its_colours(
    photo: Image.Image, srgb: bytes, mode: str, format_name: str
) -> None:
    image = photo.convert(mode)
    image.info["icc_profile"] = srgb
    assert profile_of(rendered_file(image, Options(format=format_name))) == srgb
    assert render.render(image, MASK, Options()).info == {"icc_profile": srgb}


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        ("CMYK", Options()),
        ("L", Options()),
        ("LA", Options()),
        ("RGB", Options(output="mask")),
        ("RGB", Options(output="mask", format="webp")),
        ("RGB", Options(color="rembg")),
    ],
)
def test_a_profile_is_attached_to_nothing_that_it_does_not_describe(
    photo: Image.Image, srgb: bytes, mode: str, asked: Options
) -> None:
    image = photo.convert(mode)
    image.info["icc_profile"] = srgb
    assert profile_of(rendered_file(image, asked)) is None
    assert render.render(image, MASK, asked).info == {}


@pytest.mark.parametrize("profile", [ImageCms.createProfile("LAB"), b"", b"no profile", "text", None])
def test_what_is_no_profile_of_rgb_is_dropped(photo: Image.Image, profile: object) -> None:
    image = photo.copy()
    is_lab = isinstance(profile, ImageCms.core.CmsProfile)
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(profile).tobytes() if is_lab else profile
    assert profile_of(rendered_file(image, Options())) is None


def test_rembg_mode_compresses_as_rembg_does_and_straight_is_faster(photo: Image.Image) -> None:
    cutout = render.render(photo, MASK, Options())
    buffer = io.BytesIO()
    cutout.save(buffer, "PNG")
    assert render.encode(cutout, Options(color="rembg")) == buffer.getvalue()
    assert render.encode(cutout, Options()) != buffer.getvalue()


def test_a_picture_too_long_for_webp_is_refused() -> None:
    with pytest.raises(ImageTooLargeError, match="ask for format='png'"):
        rendered_file(Image.new("RGB", (16_384, 2)), Options(format="webp"))
