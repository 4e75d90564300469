from __future__ import annotations

import numpy as np
import py_sod_metrics
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphacut_training import metrics
from alphacut_training.module import _f_beta

SHAPE = (60, 80)


def truth() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[10:40, 20:60] = 255
    return mask


def noisy(seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.clip(truth() * 0.7 + draw.normal(40, 40, SHAPE), 0, 255).astype(np.uint8)


def test_means_over_pictures_are_pysodmetrics() -> None:
    reference = {
        "f": py_sod_metrics.FmeasureV2({"f": py_sod_metrics.FmeasureHandler(True, False, beta=0.3)}),
        "mae": py_sod_metrics.MAE(),
        "sm": py_sod_metrics.Smeasure(),
        "em": py_sod_metrics.Emeasure(),
        "wfm": py_sod_metrics.WeightedFmeasure(),
    }
    ours = []
    for seed in range(4):
        ours.append(metrics.score(noisy(seed), truth()))
        for measure in reference.values():
            measure.step(noisy(seed), truth())
    mean = metrics.mean(ours)
    curve = reference["f"].get_results()["f"]["dynamic"]
    assert mean.max_f == pytest.approx(curve.max())
    assert mean.mean_f == pytest.approx(curve.mean())
    assert mean.mae == pytest.approx(reference["mae"].get_results()["mae"])
    assert mean.s_measure == pytest.approx(reference["sm"].get_results()["sm"])
    assert mean.max_e == pytest.approx(reference["em"].get_results()["em"]["curve"].max())
    assert mean.weighted_f == pytest.approx(reference["wfm"].get_results()["wfm"])


def test_training_checks_by_the_same_f_beta_as_evaluation() -> None:
    import torch

    mask = noisy(0)
    stretched = (mask - mask.min()) / (mask.max() - mask.min())
    ours = _f_beta(torch.from_numpy(stretched).flatten(), torch.from_numpy(truth() > 127).flatten())
    assert float(ours.max()) == pytest.approx(metrics.score(mask, truth()).max_f, abs=0.01)


def test_a_perfect_mask_scores_one_everywhere() -> None:
    named = metrics.score(truth(), truth()).named()
    assert named["mae"] == named["sad_thousands"] == 0
    for name in ("max_f_beta", "s_measure", "weighted_f", "boundary_iou", "iou"):
        assert named[name] == pytest.approx(1, abs=1e-3), name


def test_boundary_iou_sees_what_iou_hides() -> None:
    """A large subject whose outline is a few pixels off."""
    large, shrunk = np.zeros((400, 400), np.uint8), np.zeros((400, 400), np.uint8)
    large[20:380, 20:380] = 255
    shrunk[28:372, 28:372] = 255
    scores = metrics.score(shrunk, large)
    assert scores.iou > 0.9
    assert scores.boundary_iou < 0.3


def test_sad_counts_alpha_in_thousands() -> None:
    mask = truth()
    mask[:10] = 255  # 800 pixels wrong by 1
    assert metrics.score(mask, truth()).sad == pytest.approx(0.8)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_boundary_iou_lies_between_zero_and_one_and_is_symmetric(seed: int) -> None:
    one, other = noisy(seed), noisy(seed + 1)
    assert 0 <= metrics.boundary_iou(one, other) == metrics.boundary_iou(other, one) <= 1
