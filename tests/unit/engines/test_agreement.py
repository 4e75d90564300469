"""Masks are compared in their own units, and the worst picture has a name."""

from __future__ import annotations

import numpy as np
import pytest

from alphacut_core.agreement import iou
from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels
from alphacut_engines.agreement import Agreement, Comparison


def half(columns: int) -> Pixels:
    """A mask of 10x10 whose first ``columns`` are subject."""
    mask = np.zeros((10, 10), np.uint8)
    mask[:, :columns] = 255
    return mask


def test_identical_masks_agree_fully() -> None:
    comparison = Comparison()
    comparison.add("a", half(5), half(5))
    assert comparison.result() == Agreement(
        pictures=1, mean_difference=0.0, mean_iou=1.0, iou_p1=1.0, psnr_db=99.0, worst="a", worst_iou=1.0
    )


def test_figures_are_means_over_the_pictures_and_the_worst_is_named() -> None:
    comparison = Comparison()
    comparison.add("good", half(5), half(5))
    comparison.add("bad", half(4), half(5))
    found = comparison.result()
    assert (found.worst, found.worst_iou) == ("bad", 0.8)
    assert found.mean_iou == pytest.approx(0.9)
    assert found.mean_difference == pytest.approx(255 * 10 / 100 / 2, abs=1e-3)
    assert found.psnr_db == pytest.approx(10 * np.log10(20), abs=0.01)


def test_the_first_percentile_is_what_one_picture_in_a_hundred_falls_short_of() -> None:
    comparison = Comparison()
    for columns in range(101):
        mask = np.zeros((1, 100), np.uint8)
        mask[:, :columns] = 255
        comparison.add(str(columns), mask, np.full((1, 100), 255, np.uint8))
    assert comparison.result().iou_p1 == pytest.approx(0.01)


def test_differences_do_not_wrap_around_as_bytes_do() -> None:
    comparison = Comparison()
    comparison.add("a", np.zeros((2, 2), np.uint8), np.full((2, 2), 200, np.uint8))
    assert comparison.result().mean_difference == 200


@pytest.mark.parametrize(("columns", "expected"), [(0, 1.0), (5, 0.0)])
def test_an_empty_mask_agrees_only_with_an_empty_one(columns: int, expected: float) -> None:
    assert iou(half(columns), half(0)) == expected


def test_without_a_picture_there_is_no_agreement() -> None:
    with pytest.raises(EngineBuildError, match="no picture"):
        Comparison().result()
