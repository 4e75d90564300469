"""From a network to the ONNX file that ``alphacut build`` takes."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from alphacut_core import atomic
from alphacut_training.network import U2Net
from alphacut_training.rsu import ConvBnRelu

OPSET = 17
_OUTPUTS = tuple(f"d{number}" for number in range(7))


class _Maps(nn.Module):
    """The network with its maps as saliency, 0 to 1, as published files have them."""

    def __init__(self, network: U2Net) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.sigmoid(logits) for logits in self.network(image))


def export(network: U2Net, path: Path, size: int = 320) -> None:
    """Write a network as ONNX, batch normalisation folded into the convolutions.

    The file has one input, ``input`` float32 (batch, 3, size, size), and seven outputs ``d0`` to ``d6`` float32
    (batch, 1, size, size), 0 to 1; ``batch`` is free. It is written whole or not at all.

    Args:
        network: Any channels; not changed.
        path: Where to write; its folder is made if it is not there.
        size: Side of the square in pixels.
    """
    with atomic.draft(path, shared=False) as place:
        _write(_Maps(folded_copy(network)), place, size)
        onnx.checker.check_model(str(place), full_check=True)


def _write(maps: _Maps, path: Path, size: int) -> None:
    with warnings.catch_warnings():
        # The tracer is the one that writes opset 17, which all engines read; it says that a newer one exists.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            maps,
            (torch.zeros(1, 3, size, size),),
            str(path),
            input_names=["input"],
            output_names=list(_OUTPUTS),
            dynamic_axes={name: {0: "batch"} for name in ("input", *_OUTPUTS)},
            opset_version=OPSET,
            dynamo=False,
        )


def folded_copy(network: U2Net) -> U2Net:
    """Return a copy in evaluation mode whose convolutions contain their batch normalisation."""
    folded = copy.deepcopy(network).eval()
    for layer in folded.modules():
        if isinstance(layer, ConvBnRelu) and isinstance(layer.bn_s1, nn.BatchNorm2d):
            layer.conv_s1 = fuse_conv_bn_eval(layer.conv_s1, layer.bn_s1)
            layer.bn_s1 = nn.Identity()  # type: ignore[assignment]  # nothing is left of it
    return folded
