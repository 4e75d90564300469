"""Alphacut's networks in PyTorch, with the arithmetic of the wire contract around them as the engines have it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from alphacut_engines.registry import BUNDLED
from alphacut_gpu import networks
from alphacut_training import export, onnx_weights


class Fused(nn.Module):
    """A network from uint8 pictures to uint8 masks.

    Args:
        name: ``u2net`` or ``u2netp``.
        dtype: What the network computes in; the arithmetic around it stays in FP32.
    """

    def __init__(self, name: str, dtype: torch.dtype) -> None:
        super().__init__()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.onnx")
            onnx.save(networks.plain(name), path)
            network = onnx_weights.load(path)
        self.dtype = dtype
        self.network = export.folded_copy(network).to(dtype=dtype, memory_format=torch.channels_last)
        for part in ("mean", "std"):
            self.register_buffer(part, torch.tensor(getattr(BUNDLED, part), dtype=torch.float32).reshape(1, 3, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Make masks.

        Args:
            images: uint8 (N, S, S, 3) RGB.

        Returns:
            Masks uint8 (N, S, S) and confidences float32 (N, 1).
        """
        planes = images.permute(0, 3, 1, 2).float()
        scaled = planes / planes.amax((1, 2, 3), keepdim=True).clamp_min(1e-6)
        normalised = ((scaled - self.mean) / self.std).to(self.dtype, memory_format=torch.channels_last)
        map_ = self.network(normalised)[0].float().sigmoid()
        highest, lowest = map_.amax((1, 2, 3), keepdim=True), map_.amin((1, 2, 3), keepdim=True)
        stretched = (map_ - lowest) / (highest - lowest).clamp_min(1e-6)
        return (stretched * 255).to(torch.uint8)[:, 0], highest.reshape(-1, 1)
