"""Pictures become PNG and WebP files, with the colour profile that was asked for and no other."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec
from alphacut_core.errors import ImageTooLargeError


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_png_gives_back_every_pixel(photo_with_alpha: Image.Image, mode: str) -> None:
    image = photo_with_alpha.convert(mode)
    for level in (0, 1, 6, 9):
        decoded = opened(codec.encode_png(image, level=level))
        assert (decoded.format, decoded.mode) == ("PNG", mode)
        assert decoded.tobytes() == image.tobytes()


def test_webp_loses_colour_but_no_alpha(photo_with_alpha: Image.Image) -> None:
    decoded = opened(codec.encode_webp(photo_with_alpha))
    assert decoded.format == "WEBP"
    assert decoded.getchannel("A").tobytes() == photo_with_alpha.getchannel("A").tobytes()
    visible = np.asarray(photo_with_alpha.getchannel("A")) > 0
    difference = np.abs(np.asarray(decoded, np.int16) - np.asarray(photo_with_alpha, np.int16))
    assert difference[visible][:, :3].mean() < 12


def test_webp_of_a_lower_quality_is_smaller(photo: Image.Image) -> None:
    assert len(codec.encode_webp(photo, quality=20)) < len(codec.encode_webp(photo, quality=95))


@pytest.mark.parametrize("encode", [codec.encode_png, codec.encode_webp])
def test_the_profile_asked_for_is_attached(encode: object, photo: Image.Image, srgb: bytes) -> None:
    assert opened(encode(photo, icc_profile=srgb)).info["icc_profile"] == srgb


@pytest.mark.parametrize("encode", [codec.encode_png, codec.encode_webp])
def test_a_profile_that_the_image_carries_is_not_attached_unasked(
    encode: object, photo: Image.Image, srgb: bytes
) -> None:
    image = photo.copy()
    image.info["icc_profile"] = srgb
    assert "icc_profile" not in opened(encode(image)).info


@pytest.mark.parametrize("size", [(16_384, 1), (1, 16_384)])
def test_what_webp_cannot_hold_is_refused_with_the_way_out(size: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLargeError, match=f"got {size[0]}x{size[1]} pixels; WebP holds at most 16383.*'png'"):
        codec.encode_webp(Image.new("RGBA", size))
    assert opened(codec.encode_png(Image.new("RGBA", size))).size == size


def test_jpeg_is_reduced_to_no_less_than_twice_the_size_asked_for() -> None:
    image = Image.new("RGB", (1000, 640), (10, 200, 90))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    for size, expected in (
        (40, (125, 80)),
        (41, (250, 160)),
        (160, (500, 320)),
        (161, (1000, 640)),
        (640, (1000, 640)),
    ):
        reduced = codec.decode_reduced(buffer.getvalue(), size)
        assert reduced.size == expected
        assert np.abs(np.asarray(reduced, np.int16) - (10, 200, 90)).max() <= 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_are_reduced_in_their_own_layout(photo: Image.Image, mode: str) -> None:
    buffer = io.BytesIO()
    photo.resize((530, 370)).convert(mode).save(buffer, "JPEG", quality=95)
    reduced = codec.decode_reduced(buffer.getvalue(), 20)
    exact = codec.decode(buffer.getvalue()).resize(reduced.size, Image.Resampling.BOX)
    assert reduced.mode == mode
    assert reduced.size[0] < 530
    assert np.abs(np.asarray(reduced, np.int16) - np.asarray(exact, np.int16)).mean() < 4


def test_other_formats_are_not_reduced(corpus: dict[str, bytes]) -> None:
    for name, data in corpus.items():
        if "jpeg" not in name and name != "mpo":
            assert codec.decode_reduced(data, 2).tobytes() == codec.decode(data).tobytes(), name
