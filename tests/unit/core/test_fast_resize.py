"""The fast way to the square is nearly Pillow's."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from alphacut_core import fast_resize, geometry

sides = st.integers(1, 400)
HARD_EDGES = 64  # LANCZOS overshoots beside them by up to a quarter, which is cut off and rounded in another order


def picture(seed: int, width: int, height: int) -> Image.Image:
    """Smooth colours with hard edges, as photographs have them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    return Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8))[:height, :width])


def off(image: Image.Image, size: int) -> np.ndarray:
    """Return by how much values of the two ways differ."""
    fast = fast_resize.to_square_fast(image, size)
    assert (fast.shape, fast.dtype, fast.flags.c_contiguous) == ((size, size, 3), np.uint8, True)
    return np.abs(fast.astype(np.int16) - geometry.to_square(image, size))


def test_it_is_used_where_there_are_wheels() -> None:
    assert fast_resize.BY_SIMD or platform.machine() not in ("x86_64", "AMD64", "arm64")


@given(seed=st.integers(0, 2**32 - 1), width=sides, height=sides, size=st.sampled_from([32, 160, 320]))
def test_it_is_close_whatever_the_shape(seed: int, width: int, height: int, size: int) -> None:
    difference = off(picture(seed, width, height), size)
    assert difference.mean() < 2
    assert difference.max() <= HARD_EDGES


@pytest.mark.parametrize("shape", [(6000, 40), (640, 427), (1920, 1280), (1, 1)])
def test_of_pictures_that_are_not_tall_few_values_are_off_and_by_next_to_nothing(shape: tuple[int, int]) -> None:
    difference = off(picture(0, *shape), 320)
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.02


@pytest.mark.parametrize("mode", ["RGBA", "L", "CMYK", "P", "1"])
def test_every_layout_is_seen_as_its_colours(mode: str) -> None:
    assert off(picture(1, 200, 150).convert(mode), 64).max() <= 2
