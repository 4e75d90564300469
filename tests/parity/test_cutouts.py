"""Given the same mask, what follows is rembg's to the last byte, the PNG's compression included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from alphacut_core import codec, geometry, render
from alphacut_core.options import Options

ASKED = {
    "cut-out": ({}, Options(color="rembg")),
    "cut-out by a smoothed mask": ({"post_process_mask": True}, Options(color="rembg", post_process=True)),
    "mask": ({"only_mask": True}, Options(color="rembg", output="mask")),
    "smoothed mask": (
        {"only_mask": True, "post_process_mask": True},
        Options(color="rembg", output="mask", post_process=True),
    ),
    "mask, in spite of a background": (
        {"only_mask": True, "bgcolor": (1, 2, 3, 4)},
        Options(color="rembg", output="mask", background=(1, 2, 3, 4)),
    ),
    "opaque background": ({"bgcolor": (10, 200, 30, 255)}, Options(color="rembg", background=(10, 200, 30, 255))),
    "faint background": ({"bgcolor": (10, 200, 30, 99)}, Options(color="rembg", background=(10, 200, 30, 99))),
    "no background": ({"bgcolor": (0, 0, 0, 0)}, Options(color="rembg", background=(0, 0, 0, 0))),
}


Ours = Callable[[bytes, Options], bytes]
Theirs = Callable[..., Any]


@pytest.mark.parametrize("asked", ASKED)
def test_files_are_rembgs_to_the_last_byte(ours: Ours, theirs: Theirs, file: bytes, asked: str) -> None:
    parameters, options = ASKED[asked]
    assert ours(file, options) == theirs(file, **parameters)


def test_photographs_are_rembgs_to_the_last_byte(ours: Ours, theirs: Theirs, samples: dict[str, bytes]) -> None:
    for name, data in samples.items():
        assert ours(data, Options(color="rembg")) == theirs(data), name


def test_a_profile_is_dropped_as_rembg_drops_it(ours: Ours, theirs: Theirs, photograph: Callable[..., bytes]) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = photograph(93, 71, "PNG", icc_profile=profile)
    assert ours(data, Options(color="rembg")) == theirs(data)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_straight_is_rembgs_putalpha_for_opaque_pictures(
    theirs: Theirs, mask: geometry.Pixels, photograph: Callable[..., bytes], mode: str
) -> None:
    image = codec.decode(photograph(93, 71, "PNG", mode=mode))
    straight = render.render(image, mask, Options())
    assert straight.tobytes() == theirs(image, putalpha=True).convert("RGBA").tobytes()


def test_straight_keeps_the_transparency_that_rembgs_putalpha_overwrites(
    theirs: Theirs, mask: geometry.Pixels, photograph: Callable[..., bytes]
) -> None:
    image = codec.decode(photograph(93, 71, "PNG", mode="RGBA"))
    image.putalpha(0)
    assert render.render(image, mask, Options()).getchannel("A").getextrema() == (0, 0)
    assert theirs(image, putalpha=True).getchannel("A").getextrema() == (0, 255)


def test_16_bit_greys_are_scaled_where_rembg_clips_them_to_white(
    theirs: Theirs, mask: geometry.Pixels, photograph: Callable[..., bytes]
) -> None:
    grey = codec.decode(photograph(93, 71, "PNG", mode="L"))
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    asked = Options(color="rembg")
    assert theirs(deep).getpixel((46, 30)) == (255, 255, 255, 255)
    expected = render.render(grey, mask, asked)
    assert render.render(codec.upright(deep), mask, asked).tobytes() == expected.tobytes()
    assert expected.getpixel((46, 30)) != (255, 255, 255, 255)
