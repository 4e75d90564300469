"""How far masks may be from the reference's, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from alphacut_core.geometry import Pixels
from alphacut_core.tiers import Mode

_SUBJECT = 128


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is allowed at most, and at least.

    Attributes:
        mean_difference: Largest mean |Δ|, of 255.
        mean_iou: Smallest mean intersection over union at 128.
    """

    mean_difference: float
    mean_iou: float

    def hold(self, mean_difference: float, mean_iou: float) -> bool:
        """Return whether both means are within the bounds."""
        return mean_difference <= self.mean_difference and mean_iou >= self.mean_iou


BOUNDS: Mapping[str, Bounds] = {
    "fp32": Bounds(mean_difference=0.1, mean_iou=0.999),
    "fp16": Bounds(mean_difference=1.0, mean_iou=0.995),
    "bf16": Bounds(mean_difference=1.0, mean_iou=0.99),
    "int8": Bounds(mean_difference=3.0, mean_iou=0.98),
}
"""Precision of an engine to what its masks may differ from FP32's."""

TIER_BOUNDS: Mapping[Mode, Bounds] = {
    "medium": Bounds(mean_difference=12.0, mean_iou=0.80),
    "lite": Bounds(mean_difference=32.0, mean_iou=0.60),
}
"""What a smaller tier may lose against the masks of ``full`` in FP32: the loss that it declares."""


def iou(mask: Pixels, reference: Pixels) -> float:
    """Return intersection over union of the pixels from 128 on; two empty masks agree fully."""
    ours, theirs = mask >= _SUBJECT, reference >= _SUBJECT
    union = np.count_nonzero(ours | theirs)
    return np.count_nonzero(ours & theirs) / union if union else 1.0
