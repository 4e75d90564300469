"""What training minimises: BCE, soft IoU and SSIM on all seven maps.

The hybrid loss is BASNet's (Qin et al. 2019, CVPR, "BASNet: Boundary-Aware Salient Object Detection"); deep
supervision with equal weights is U²-Net's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_SSIM_WINDOW = 11
_SSIM_SIGMA = 1.5
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


def supervised(maps: Sequence[Tensor], target: Tensor) -> Tensor:
    """Sum the hybrid loss of all maps.

    Args:
        maps: Logits (N, 1, H, W) each, the fused map first.
        target: float (N, 1, H, W), 0 background to 1 subject.

    Returns:
        A scalar: the mean over the batch of the sum over the maps.
    """
    # Not in half precision: SSIM's variances are small differences of large numbers, which bfloat16 makes negative.
    with torch.autocast(target.device.type, enabled=False):
        return torch.stack([hybrid(logits.float(), target) for logits in maps]).sum()


def hybrid(logits: Tensor, target: Tensor) -> Tensor:
    """Return BCE + (1 - IoU) + (1 - SSIM) of one map; each is 0 for a perfect one."""
    saliency = torch.sigmoid(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, target)
    return entropy + (1 - soft_iou(saliency, target)) + (1 - ssim(saliency, target))


def soft_iou(saliency: Tensor, target: Tensor) -> Tensor:
    """Return the mean over the batch of intersection over union of soft masks; 1 where both are empty."""
    both = (saliency * target).sum((1, 2, 3))
    either = (saliency + target - saliency * target).sum((1, 2, 3))
    return ((both + 1) / (either + 1)).mean()


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean structural similarity of maps from 0 to 1, each (N, 1, H, W)."""
    return ssim_map(first, second).mean()


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """Return each pixel's structural similarity (Wang et al. 2004): a Gaussian window of 11 pixels, sigma 1.5."""
    window = _window(first)

    def blurred(image: Tensor) -> Tensor:
        rows = functional.conv2d(image, window[None, None, :, None], padding=(_SSIM_WINDOW // 2, 0))
        return functional.conv2d(rows, window[None, None, None, :], padding=(0, _SSIM_WINDOW // 2))

    mean1, mean2 = blurred(first), blurred(second)
    variance1 = blurred(first * first) - mean1 * mean1
    variance2 = blurred(second * second) - mean2 * mean2
    covariance = blurred(first * second) - mean1 * mean2
    luminance = (2 * mean1 * mean2 + _SSIM_C1) / (mean1**2 + mean2**2 + _SSIM_C1)
    structure = (2 * covariance + _SSIM_C2) / (variance1 + variance2 + _SSIM_C2)
    return luminance * structure


def _window(like: Tensor) -> Tensor:
    offsets = torch.arange(_SSIM_WINDOW, device=like.device, dtype=like.dtype) - _SSIM_WINDOW // 2
    weights = torch.exp(-(offsets**2) / (2 * _SSIM_SIGMA**2))
    return weights / weights.sum()
