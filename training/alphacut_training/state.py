"""A network from nothing but its tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alphacut_core.errors import EngineSourceError
from alphacut_training.network import SMALL, U2Net

WANTED = "give a U²-Net as .pth of its state dict, as .ckpt of alphacut train, or as .onnx"


def from_state(state: Mapping[str, Tensor], source: str) -> U2Net:
    """Build the network that a state dict belongs to; its shapes say how many channels each layer has.

    Args:
        state: Tensors by the authors' names.
        source: Where it came from, for the message.

    Raises:
        EngineSourceError: A name is missing, unknown, or of a shape that no U²-Net has.
    """
    try:
        with torch.device("meta"):  # shapes without numbers
            network = U2Net(SMALL)
            for name, layer in list(network.named_modules()):
                if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d)):
                    network.set_submodule(name, _of_shape(layer, state[f"{name}.weight"].shape))
        network.load_state_dict(dict(state), assign=True)
    except (KeyError, IndexError, AttributeError, RuntimeError, ValueError) as error:
        raise EngineSourceError(f"{source} holds no U²-Net ({error}); {WANTED}") from error
    return network.eval()


def _of_shape(layer: nn.Conv2d | nn.BatchNorm2d, shape: torch.Size) -> nn.Module:
    if isinstance(layer, nn.BatchNorm2d):
        return nn.BatchNorm2d(shape[0])
    return nn.Conv2d(
        shape[1],
        shape[0],
        (shape[2], shape[3]),
        padding=(layer.padding[0], layer.padding[1]) if isinstance(layer.padding, tuple) else layer.padding,
        dilation=(layer.dilation[0], layer.dilation[1]),
    )
