from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from alphacut_training import loss

_SURE = 30.0


def square(low: int, high: int, side: int = 48) -> torch.Tensor:
    target = torch.zeros(1, 1, side, side)
    target[:, :, low:high, low:high] = 1
    return target


def logits(target: torch.Tensor) -> torch.Tensor:
    return (target * 2 - 1) * _SURE


def test_a_perfect_map_costs_nothing() -> None:
    target = square(10, 30)
    assert float(loss.hybrid(logits(target), target)) == pytest.approx(0, abs=1e-4)


def test_a_wrong_map_costs_more_the_more_is_wrong() -> None:
    target = square(10, 30)
    costs = [float(loss.hybrid(logits(square(10, 30 + extra)), target)) for extra in (0, 2, 6, 12)]
    assert costs == sorted(costs)
    assert costs[0] < costs[1]


def test_soft_iou_of_half_a_square_is_half() -> None:
    half = square(0, 40, 40).clone()
    half[:, :, 20:] = 0
    assert float(loss.soft_iou(half, square(0, 40, 40))) == pytest.approx(0.5, abs=1e-3)


def test_pictures_without_a_subject_cost_nothing_where_nothing_is_found() -> None:
    empty = torch.zeros(2, 1, 32, 32)
    assert float(loss.soft_iou(empty, empty)) == 1
    assert float(loss.hybrid(logits(empty), empty)) == pytest.approx(0, abs=1e-4)


def test_ssim_is_scikit_images_away_from_the_border() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.random((2, 64, 64)).astype(np.float32)
    _, theirs = structural_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
    )
    ours = loss.ssim_map(*(torch.from_numpy(image)[None, None] for image in (first, second)))[0, 0].numpy()
    inner = (slice(5, -5), slice(5, -5))
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-4)
    assert float(loss.ssim(*(torch.from_numpy(first)[None, None] for _ in range(2)))) == pytest.approx(1, abs=1e-5)


def test_all_seven_maps_are_supervised() -> None:
    target = square(10, 30)
    maps = [logits(target).requires_grad_() for _ in range(7)]
    wrong = [*maps[:6], logits(square(0, 5)).requires_grad_()]
    total = loss.supervised(wrong, target)
    assert float(total.detach()) > float(loss.supervised(maps, target).detach()) + 1
    total.backward()
    assert all(one.grad is not None for one in wrong)


def test_the_loss_is_computed_in_full_precision_within_a_half_precision_step() -> None:
    draw = torch.Generator().manual_seed(0)
    target = torch.rand(2, 1, 64, 64, generator=draw).round()
    maps = [torch.randn(2, 1, 64, 64, generator=draw).bfloat16().requires_grad_() for _ in range(7)]
    expected = loss.supervised(maps, target)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss.supervised(maps, target)
    assert found == expected
    found.backward()
    assert all(bool(one.grad.isfinite().all()) for one in maps if one.grad is not None)
