"""How good a mask is, by the measures of the saliency literature.

All but the boundary's are pysodmetrics' (https://github.com/lartpang/PySODMetrics), which reproduces the papers'
own evaluation code. Masks are stretched to the full range first, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import py_sod_metrics
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from alphacut_core import agreement
from alphacut_core.geometry import Pixels

_BETA2 = 0.3
_BOUNDARY_SHARE = 0.02
_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Scores:
    """One picture's measures, or the means over many.

    Attributes:
        mae: Mean absolute error, 0 to 1.
        f_curve: F-beta with beta² = 0.3 at each of 256 thresholds.
        s_measure: Structure measure (Fan et al. 2017).
        e_curve: Enhanced-alignment measure (Fan et al. 2018) at each of 256 thresholds.
        weighted_f: Weighted F-measure (Margolin et al. 2014).
        boundary_iou: Intersection over union of the bands along the outlines (Cheng et al. 2021), their width 2 % of
            the diagonal.
        sad: Sum of absolute differences of alpha in thousands, as matting counts.
        iou: Intersection over union at half.
    """

    mae: float
    f_curve: NDArray[np.float64]
    s_measure: float
    e_curve: NDArray[np.float64]
    weighted_f: float
    boundary_iou: float
    sad: float
    iou: float

    @property
    def max_f(self) -> float:
        """Largest value of the F-beta curve."""
        return float(self.f_curve.max())

    @property
    def mean_f(self) -> float:
        """Mean of the F-beta curve."""
        return float(self.f_curve.mean())

    @property
    def max_e(self) -> float:
        """Largest value of the E-measure's curve."""
        return float(self.e_curve.max())

    def named(self) -> dict[str, float]:
        """Return the single numbers by the names of tables and files."""
        return {
            "max_f_beta": self.max_f,
            "mean_f_beta": self.mean_f,
            "mae": self.mae,
            "s_measure": self.s_measure,
            "max_e_measure": self.max_e,
            "weighted_f": self.weighted_f,
            "boundary_iou": self.boundary_iou,
            "iou": self.iou,
            "sad_thousands": self.sad,
        }


def score(mask: Pixels, truth: Pixels) -> Scores:
    """Measure one mask.

    Args:
        mask: uint8 (H, W), 0 background to 255 subject.
        truth: uint8 (H, W); from 128 on it counts as subject where a measure wants a decision.
    """
    f_beta = py_sod_metrics.FmeasureV2({"f": py_sod_metrics.FmeasureHandler(True, False, beta=_BETA2)})
    mae, s_measure = py_sod_metrics.MAE(), py_sod_metrics.Smeasure()
    e_measure, weighted = py_sod_metrics.Emeasure(), py_sod_metrics.WeightedFmeasure()
    for measure in (f_beta, mae, s_measure, e_measure, weighted):
        measure.step(mask, truth)
    return Scores(
        mae=float(mae.get_results()["mae"]),
        f_curve=np.asarray(f_beta.get_results()["f"]["dynamic"], np.float64),
        s_measure=float(s_measure.get_results()["sm"]),
        e_curve=np.asarray(e_measure.get_results()["em"]["curve"], np.float64),
        weighted_f=float(weighted.get_results()["wfm"]),
        boundary_iou=boundary_iou(mask, truth),
        sad=float(np.abs(mask.astype(np.int32) - truth).sum() / 255 / _THOUSAND),
        iou=agreement.iou(mask, truth),
    )


def mean(scores: list[Scores]) -> Scores:
    """Average the measures of several pictures; curves are averaged before their maxima are taken."""
    return Scores(
        mae=_mean([one.mae for one in scores]),
        f_curve=np.mean([one.f_curve for one in scores], axis=0),
        s_measure=_mean([one.s_measure for one in scores]),
        e_curve=np.mean([one.e_curve for one in scores], axis=0),
        weighted_f=_mean([one.weighted_f for one in scores]),
        boundary_iou=_mean([one.boundary_iou for one in scores]),
        sad=_mean([one.sad for one in scores]),
        iou=_mean([one.iou for one in scores]),
    )


def boundary_iou(mask: Pixels, truth: Pixels) -> float:
    """Compare two masks, uint8 (H, W), along their outlines only; two empty ones agree fully."""
    width = max(1, round(_BOUNDARY_SHARE * float(np.hypot(*mask.shape))))
    ours, theirs = (_band(image >= 128, width) for image in (mask, truth))
    union = np.count_nonzero(ours | theirs)
    return np.count_nonzero(ours & theirs) / union if union else 1.0


def _band(area: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    # Beyond the border counts as background, as in the paper's code.
    return np.asarray(area & ~binary_erosion(area, np.ones((3, 3)), iterations=width))


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
