"""The two steps around the engine, as the adapters call them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec, fast_resize, geometry, render, steps
from alphacut_core.errors import ImageTooLargeError
from alphacut_core.limits import DEFAULT_LIMITS, Limits
from alphacut_core.options import Options

MASK = np.random.default_rng(5).integers(0, 256, (32, 32), dtype=np.uint8)


def test_every_format_becomes_the_square_that_its_decoded_picture_makes(corpus: dict[str, bytes]) -> None:
    for name, data in corpus.items():
        square = steps.preprocess(data, Options(), 32, DEFAULT_LIMITS)
        np.testing.assert_array_equal(square, geometry.to_square(codec.decode(data), 32), err_msg=name)


def test_fast_decoding_is_used_when_asked_for(photo: Image.Image) -> None:
    buffer = io.BytesIO()
    photo.resize((800, 600)).save(buffer, "JPEG")
    fast = steps.preprocess(buffer.getvalue(), Options(decode="fast"), 32, DEFAULT_LIMITS)
    exact = steps.preprocess(buffer.getvalue(), Options(), 32, DEFAULT_LIMITS)
    reduced = codec.decode_reduced(buffer.getvalue(), 32)
    np.testing.assert_array_equal(fast, fast_resize.to_square_fast(reduced, 32))
    assert np.abs(fast.astype(np.int16) - exact).max() > 0
    assert np.abs(fast.astype(np.int16) - exact).mean() < 2


@pytest.mark.parametrize("decode", ["exact", "fast"])
def test_both_steps_hold_to_the_limits(corpus: dict[str, bytes], decode: str) -> None:
    asked, limits = Options(decode=decode), Limits(max_pixels=100)
    with pytest.raises(ImageTooLargeError):
        steps.preprocess(corpus["jpeg"], asked, 32, limits)
    with pytest.raises(ImageTooLargeError):
        steps.postprocess(corpus["jpeg"], asked, MASK, limits)


@pytest.mark.parametrize(
    ("asked", "format_name"),
    [
        (Options(), "PNG"),
        (Options(format="webp"), "WEBP"),
        (Options(output="mask"), "PNG"),
        (Options(color="rembg"), "PNG"),
    ],
)
def test_the_picture_is_encoded_upright_in_the_format_asked_for(
    corpus: dict[str, bytes], asked: Options, format_name: str
) -> None:
    data = steps.postprocess(corpus["jpeg"], asked, MASK, DEFAULT_LIMITS)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == format_name
        assert image.size == (37, 53)
        if format_name == "PNG":
            expected = render.render(codec.decode(corpus["jpeg"]), MASK, asked)
            assert image.tobytes() == expected.tobytes()
        assert ("icc_profile" in image.info) == (asked.output == "cutout" and asked.color == "straight")
