"""Take whole channels out of a network, so that it is smaller and faster on any engine."""

from __future__ import annotations

import copy
import warnings

import torch
import torch_pruning
from torch import nn

from alphacut_core.errors import InvalidOptionError
from alphacut_training.network import U2Net

_ROUND_TO = 4
"""Channels stay multiples of 4: what vector units compute at once, and fine enough for the small network's 16."""
_TRACED_SIDE = 64
_LARGEST_RATIO = 0.75  # beyond, the small network's narrow layers would have to vanish


def prune(network: U2Net, ratio: float) -> U2Net:
    """Return a copy with fewer channels; fine-tune it afterwards.

    Structured pruning by torch-pruning's dependency graph (Fang et al. 2023, "DepGraph", CVPR): channels that are
    added or joined go together. The ones with the smallest weights, compared over the whole network, go first.

    Args:
        network: Unfolded, that is with batch normalisation that has statistics.
        ratio: Share of the channels to take out, more than 0, up to 0.75.

    Raises:
        InvalidOptionError: The ratio is out of range, or nothing could be taken out.
    """
    check(ratio)
    pruned = copy.deepcopy(network).eval()
    sides = [layer for name, layer in pruned.named_modules() if name.startswith("side") or name == "outconv"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Unwrapped parameters")
        pruner = torch_pruning.pruner.BasePruner(
            pruned,
            torch.zeros(1, 3, _TRACED_SIDE, _TRACED_SIDE),
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=ratio,
            max_pruning_ratio=_LARGEST_RATIO,
            global_pruning=True,
            round_to=_ROUND_TO,
            ignored_layers=sides,
            root_module_types=[nn.Conv2d],
        )
        pruner.step()
    if parameters(pruned) >= parameters(network):
        raise InvalidOptionError(
            f"got ratio={ratio}, which takes out less than {_ROUND_TO} channels of any layer; give a larger one"
        )
    return pruned


def check(ratio: float) -> None:
    """Refuse a share of the channels that cannot be taken out of any network.

    Raises:
        InvalidOptionError: It is one.
    """
    if not 0 < ratio <= _LARGEST_RATIO:
        raise InvalidOptionError(f"got ratio={ratio}; allowed are more than 0, up to {_LARGEST_RATIO}")


def parameters(network: nn.Module) -> int:
    """Count the numbers that training sets."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: U2Net, size: int) -> int:
    """Count the multiply-adds of one picture's convolutions at ``size`` pixels square."""
    total = 0

    def count(layer: nn.Conv2d, _inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    handles = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, size, size))
    for handle in handles:
        handle.remove()
    return total
