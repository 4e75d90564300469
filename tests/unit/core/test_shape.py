"""Threshold, holes, specks, erosion, dilation and feather at the picture's size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from alphacut_core import shape
from alphacut_core.geometry import Pixels

masks = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))
radii = st.integers(0, 12)


def disc(side: int = 60, radius: float = 20) -> Pixels:
    rows, columns = np.mgrid[:side, :side] - side // 2
    return np.where(np.hypot(rows, columns) <= radius, 255, 0).astype(np.uint8)


def in_order(mask: Pixels, radius_px: int, pick: str) -> Pixels:
    """The minimum or maximum over the octagon, pixel by pixel: slow, and with nothing to get wrong."""
    point = np.zeros((2 * radius_px + 1,) * 2, np.uint8)
    point[radius_px, radius_px] = 1
    octagon = shape.dilated(point, radius_px) == 1
    fill = 255 if pick == "min" else 0
    padded = np.pad(mask, radius_px, constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, octagon.shape)
    return getattr(windows[..., octagon], pick)(axis=-1)


@given(mask=masks, radius_px=radii)
def test_dilating_takes_the_maximum_and_eroding_the_minimum_of_an_octagon(mask: Pixels, radius_px: int) -> None:
    np.testing.assert_array_equal(shape.dilated(mask, radius_px), in_order(mask, radius_px, "max"))
    np.testing.assert_array_equal(shape.eroded(mask, radius_px), in_order(mask, radius_px, "min"))


def test_far_enough_dilating_reaches_from_corner_to_corner():
    mask = np.zeros((5, 6), np.uint8)
    mask[0, 0] = 200
    assert (shape.dilated(mask, 7) == 200).all()
    assert (shape.dilated(mask, 6) == 200).sum() == 29
    assert (shape.dilated(mask, 1000) == 200).all()


@given(mask=masks, radius_px=radii)
def test_eroding_then_dilating_adds_nothing_and_the_reverse_takes_nothing_away(mask: Pixels, radius_px: int) -> None:
    assert (shape.dilated(shape.eroded(mask, radius_px), radius_px) <= mask).all()
    assert (shape.eroded(shape.dilated(mask, radius_px), radius_px) >= mask).all()


@pytest.mark.parametrize("radius_px", [1, 2, 3, 4, 5, 9, 30])
def test_an_octagon_is_within_a_tenth_of_its_disc_and_a_pixel(radius_px: int) -> None:
    point = np.zeros((2 * radius_px + 3,) * 2, np.uint8)
    point[radius_px + 1, radius_px + 1] = 1
    rows, columns = np.nonzero(shape.dilated(point, radius_px))
    reach = np.hypot(rows - radius_px - 1, columns - radius_px - 1)
    assert np.ptp(rows) == np.ptp(columns) == 2 * radius_px
    assert reach.max() <= 1.1 * radius_px + 1
    assert len(rows) >= 0.9 * np.pi * radius_px**2


def test_a_subject_that_the_picture_cuts_off_is_not_eroded_there() -> None:
    mask = np.full((20, 30), 255, np.uint8)
    assert shape.eroded(mask, 5).min() == 255
    mask[:, 15:] = 0
    assert (shape.eroded(mask, 5) == 255).sum() == 20 * 10


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_a_radius_larger_than_the_picture_is_no_fault(size: tuple[int, int]) -> None:
    mask = np.full(size, 7, np.uint8)
    assert (shape.dilated(mask, 1_000) == 7).all()
    assert (shape.eroded(mask, 1_000) == 7).all()


@given(mask=masks, level=st.integers(1, 255))
def test_a_threshold_leaves_black_and_white(mask: Pixels, level: int) -> None:
    made = np.asarray(shape.threshold(Image.fromarray(mask), level))
    np.testing.assert_array_equal(made, np.where(mask >= level, 255, 0))


@given(mask=masks, sigma_px=st.floats(0.1, 30))
def test_a_feather_stays_between_the_darkest_and_the_brightest(mask: Pixels, sigma_px: float) -> None:
    made = np.asarray(shape.feathered(Image.fromarray(mask), sigma_px))
    assert made.shape == mask.shape
    assert made.min() >= mask.min()
    assert made.max() <= mask.max()


def test_a_feather_is_as_wide_as_it_says() -> None:
    step = np.zeros((40, 200), np.uint8)
    step[:, 100:] = 255
    row = np.asarray(shape.feathered(Image.fromarray(step), 10))[20] / 255
    # A Gaussian's share below -1 and +1 standard deviations of the edge: 16 % and 84 %.
    assert row[89] == pytest.approx(0.16, abs=0.03)
    assert row[109] == pytest.approx(0.84, abs=0.03)


def test_a_hole_is_filled_with_its_rim_and_a_bay_is_not() -> None:
    pytest.importorskip("skimage", reason="holes need the refine extra")
    mask = disc()
    mask[28:32, 28:32] = 0
    mask[27, 28:32] = 200  # a soft rim
    mask[0:20, 30] = 0  # a bay, open to the border
    filled = np.asarray(shape.fill_holes(Image.fromarray(mask), 100))
    assert (filled[27:32, 28:32] == 255).all()
    assert (filled[10:20, 30] == 0).all()
    assert filled.sum() > mask.sum()


def test_a_hole_larger_than_wanted_stays() -> None:
    pytest.importorskip("skimage", reason="holes need the refine extra")
    mask = disc()
    mask[28:32, 28:32] = 0
    assert np.array_equal(np.asarray(shape.fill_holes(Image.fromarray(mask), 15)), mask)
    assert np.array_equal(np.asarray(shape.fill_holes(Image.fromarray(mask), 16)), disc())


def test_a_half_transparent_area_is_no_hole() -> None:
    pytest.importorskip("skimage", reason="holes need the refine extra")
    mask = disc()
    mask[28:32, 28:32] = 180
    assert np.array_equal(np.asarray(shape.fill_holes(Image.fromarray(mask), 100)), mask)


def test_a_speck_goes_with_its_halo_and_the_subject_stays() -> None:
    pytest.importorskip("skimage", reason="specks need the refine extra")
    mask = disc()
    mask[2:5, 2:5] = 40
    mask[3, 3] = 255
    kept = np.asarray(shape.drop_specks(Image.fromarray(mask), 10))
    np.testing.assert_array_equal(kept, disc())
    np.testing.assert_array_equal(np.asarray(shape.drop_specks(Image.fromarray(mask), 1)), mask)


def test_a_speck_is_told_from_a_subject_that_its_haze_touches() -> None:
    pytest.importorskip("skimage", reason="specks need the refine extra")
    mask = np.maximum(disc(), 30)  # haze everywhere
    mask[4:7, 4:7] = 250
    kept = np.asarray(shape.drop_specks(Image.fromarray(mask), 20))
    assert not (kept[4:7, 4:7]).any()
    np.testing.assert_array_equal(kept[disc() == 255], 255)


@given(mask=masks, area_px=st.integers(1, 2_000))
@settings(max_examples=50)
def test_filling_only_adds_and_dropping_only_takes_away(mask: Pixels, area_px: int) -> None:
    pytest.importorskip("skimage", reason="areas need the refine extra")
    image = Image.fromarray(mask)
    assert (np.asarray(shape.fill_holes(image, area_px)) >= mask).all()
    assert (np.asarray(shape.drop_specks(image, area_px)) <= mask).all()
