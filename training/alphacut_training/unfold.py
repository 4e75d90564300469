"""Give batch normalisation back what folding took from it, so that a network can be trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from alphacut_training.network import U2Net


def is_folded(network: U2Net) -> bool:
    """Say whether every batch normalisation does nothing, as in a network read from an ONNX file.

    One that was never trained divides by the root of 1 + eps. It is not folded: nothing was taken from it.
    """
    return all(_is_identity(layer) for layer in _normalisations(network).values())


def unfold(network: U2Net, images: Iterable[Tensor]) -> None:
    """Set every batch normalisation to the statistics that its convolution shows on ``images``.

    Scale and shift are set to undo the normalisation, so the network computes the same as before in evaluation
    mode, and nearly the same in training mode, where statistics are the batch's: without this the first step of
    training would destroy what was learned.

    Args:
        network: Folded; changed in place.
        images: Batches, float (N, 3, H, W), normalised; a few dozen pictures do.
    """
    layers = _normalisations(network)
    sums = {name: torch.zeros(2, layer.num_features, dtype=torch.float64) for name, layer in layers.items()}
    counts = dict.fromkeys(layers, 0)

    def watch(name: str) -> Any:
        def note(_layer: nn.Module, inputs: tuple[Tensor]) -> None:
            values = inputs[0].double()
            sums[name] += torch.stack((values.sum((0, 2, 3)), (values**2).sum((0, 2, 3))))
            counts[name] += values.numel() // values.shape[1]

        return note

    handles = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers.items()]
    with torch.inference_mode():
        for batch in images:
            network.eval()(batch)
    for handle in handles:
        handle.remove()
    for name, layer in layers.items():
        _set_statistics(layer, *(sums[name] / counts[name]))


def _set_statistics(layer: nn.BatchNorm2d, mean: Tensor, mean_of_squares: Tensor) -> None:
    # A channel that never varies keeps a variance of one: any would do, and its scale stays finite.
    variance = mean_of_squares - mean**2
    variance = torch.where(variance > layer.eps, variance, torch.ones_like(variance))
    with torch.no_grad():
        layer.running_mean.copy_(mean)  # type: ignore[union-attr]  # tracked, since statistics are
        layer.running_var.copy_(variance)  # type: ignore[union-attr]
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.copy_(mean)


def _is_identity(layer: nn.BatchNorm2d) -> bool:
    mean, variance = layer.running_mean, layer.running_var
    if mean is None or variance is None:
        return True
    undone = (mean == 0).all() and (variance < 1 - layer.eps / 2).all()
    return bool(undone and (layer.weight == 1).all() and (layer.bias == 0).all())


def _normalisations(network: U2Net) -> dict[str, nn.BatchNorm2d]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)}
