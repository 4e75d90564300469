"""Bounds hold to the edge, and not beyond; masks agree by their subjects."""

from __future__ import annotations

import numpy as np
import pytest

from alphacut_core.agreement import BOUNDS, Bounds, iou


@pytest.mark.parametrize(
    ("mean_difference", "mean_iou", "held"),
    [(3.0, 0.98, True), (3.001, 0.98, False), (3.0, 0.9799, False), (float("nan"), 1.0, False)],
)
def test_both_bounds_hold_to_their_edge(mean_difference: float, mean_iou: float, held: bool) -> None:
    assert Bounds(mean_difference=3.0, mean_iou=0.98).hold(mean_difference, mean_iou) is held


def test_more_precision_never_has_looser_bounds() -> None:
    order = [BOUNDS[precision] for precision in ("fp32", "fp16", "bf16", "int8")]
    assert sorted(bounds.mean_difference for bounds in order) == [bounds.mean_difference for bounds in order]
    assert sorted((bounds.mean_iou for bounds in order), reverse=True) == [bounds.mean_iou for bounds in order]


def test_iou_counts_from_128_on() -> None:
    mask = np.array([[127, 128, 255, 0]], np.uint8)
    assert iou(mask, np.array([[0, 128, 128, 128]], np.uint8)) == 2 / 3
    assert iou(np.zeros((2, 2), np.uint8), np.full((2, 2), 127, np.uint8)) == 1.0
