"""Pictures that callers hand over as PIL images."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from alphacut_core import codec
from alphacut_core.errors import UndecodableImageError


def test_the_callers_image_is_left_alone(photo: Image.Image) -> None:
    image = photo.copy()
    upright = codec.upright(image)
    upright.paste((1, 2, 3), (0, 0, 53, 37))
    assert image.tobytes() == photo.tobytes()


def test_an_image_that_is_not_loaded_yet_is(corpus: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(corpus["png-RGB"])) as lazy:
        assert codec.upright(lazy).tobytes() == codec.decode(corpus["png-RGB"]).tobytes()


def test_a_truncated_file_behind_an_image_is_found_out(corpus: dict[str, bytes]) -> None:
    with (
        Image.open(io.BytesIO(corpus["png-RGB"][:-400])) as lazy,
        pytest.raises(UndecodableImageError, match="got pixels that are broken or cut off"),
    ):
        codec.upright(lazy)


def test_only_what_describes_the_pixels_is_kept_of_the_metadata(photo: Image.Image, srgb: bytes) -> None:
    image = photo.quantize(8)
    image.info = {"icc_profile": srgb, "transparency": 3, "exif": Image.Exif().tobytes(), "dpi": (72, 72), "xmp": b"x"}
    assert codec.upright(image).info == {"icc_profile": srgb, "transparency": 3}
