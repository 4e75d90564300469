"""Masks of all kinds are held against rembg's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alphacut_core import codec
from alphacut_core.agreement import Bounds
from alphacut_loadtest.bench import parity
from alphacut_loadtest.bench.parity import GATES
from alphacut_loadtest.bench.pictures import Picture

PICTURE = Picture(Path("left.png"), 8, 4)


@pytest.fixture
def left() -> np.ndarray:
    """A mask whose left half is subject: uint8 (4, 8)."""
    mask = np.zeros((4, 8), np.uint8)
    mask[:, :4] = 255
    return mask


def test_a_mask_is_read_from_files_of_masks_and_of_cutouts(left: np.ndarray) -> None:
    cutout = Image.new("RGBA", (8, 4))
    cutout.putalpha(Image.fromarray(left))
    assert np.array_equal(parity.mask(codec.encode_png(Image.fromarray(left)), "file", PICTURE), left)
    assert np.array_equal(parity.mask(codec.encode_png(cutout), "file", PICTURE), left)


def test_a_raw_square_is_brought_to_the_pictures_size() -> None:
    square = np.full((16, 16), 200, np.uint8)
    assert np.array_equal(parity.mask(square.tobytes(), "square", PICTURE), np.full((4, 8), 200))


def test_equal_masks_agree_fully_even_empty_ones(left: np.ndarray) -> None:
    empty = np.zeros_like(left)
    found = parity.compare("engine", [left, empty], [left, empty], [PICTURE, PICTURE], GATES["fp32"])
    assert (found.mean_difference, found.mean_iou, found.worst_iou, found.within) == (0.0, 1.0, 1.0, True)


def test_the_worst_picture_is_named(left: np.ndarray) -> None:
    wider = left.copy()
    wider[:, :5] = 255
    other = Picture(Path("right.png"), 8, 4)
    found = parity.compare("engine", [left, wider], [left, left], [PICTURE, other], GATES["int8"])
    assert found.worst == "right.png"
    assert found.worst_iou == pytest.approx(0.8)
    assert found.mean_iou == pytest.approx(0.9)
    assert found.mean_difference == pytest.approx(255 / 16)


@pytest.mark.parametrize(
    ("gate", "within"), [(Bounds(1.0, 1.0), True), (Bounds(0.9, 1.0), False), (Bounds(1.0, 1.01), False)]
)
def test_both_bounds_count(gate: Bounds, within: bool, left: np.ndarray) -> None:
    slightly_off = np.where(left == 255, 254, 1).astype(np.uint8)
    assert parity.compare("engine", [slightly_off], [left], [PICTURE], gate).within is within
