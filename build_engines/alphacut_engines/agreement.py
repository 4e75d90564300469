"""How well the masks of two engines agree, in the units of masks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from alphacut_core.agreement import iou
from alphacut_core.errors import EngineBuildError
from alphacut_core.geometry import Pixels

_IDENTICAL_PSNR_DB = 99.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Masks of one engine against the reference's.

    Attributes:
        pictures: Number of pictures.
        mean_difference: Mean |Δ|, 0 to 255.
        mean_iou: Mean over the pictures of intersection over union at 128.
        iou_p1: Its first percentile.
        psnr_db: Peak signal-to-noise ratio over all pixels; 99 for identical masks.
        worst: Name of the picture with the lowest IoU.
        worst_iou: That IoU.
    """

    pictures: int
    mean_difference: float
    mean_iou: float
    iou_p1: float
    psnr_db: float
    worst: str
    worst_iou: float


@dataclass(slots=True)
class Comparison:
    """Gathers pairs of masks, one picture at a time."""

    _names: list[str] = field(default_factory=list)
    _differences: list[float] = field(default_factory=list)
    _squares: list[float] = field(default_factory=list)
    _ious: list[float] = field(default_factory=list)

    def add(self, name: str, mask: Pixels, reference: Pixels) -> None:
        """Compare two masks of the picture ``name``: uint8 (S, S) each."""
        delta = mask.astype(np.int32) - reference.astype(np.int32)
        self._names.append(name)
        self._differences.append(float(np.abs(delta).mean()))
        self._squares.append(float(np.square(delta).mean()))
        self._ious.append(iou(mask, reference))

    def result(self) -> Agreement:
        """Return the figures over all pictures so far.

        Raises:
            EngineBuildError: There was none.
        """
        if not self._names:
            raise EngineBuildError("got no picture to compare masks on; give a folder with photographs")
        worst = int(np.argmin(self._ious))
        error = float(np.mean(self._squares))
        return Agreement(
            pictures=len(self._names),
            mean_difference=round(float(np.mean(self._differences)), 4),
            mean_iou=round(float(np.mean(self._ious)), 5),
            iou_p1=round(float(np.percentile(self._ious, 1)), 5),
            psnr_db=round(min(float(10 * np.log10(255**2 / error)), _IDENTICAL_PSNR_DB), 2)
            if error
            else _IDENTICAL_PSNR_DB,
            worst=self._names[worst],
            worst_iou=round(self._ious[worst], 5),
        )
