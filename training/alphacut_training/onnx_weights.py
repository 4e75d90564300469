"""Weights out of an ONNX file, where exporters keep the order of layers but not their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import nn

from alphacut_core.errors import EngineSourceError
from alphacut_training.network import SMALL, U2Net
from alphacut_training.state import from_state

_TRACED_SIDE = 64  # large enough for every pooling


def load(path: Path) -> U2Net:
    """Read a U²-Net of any channels.

    Its convolutions stand in the order in which the network runs them. Where batch normalisation was folded
    into them, it becomes the identity here; before training, ``unfold`` has to give it statistics again.

    Raises:
        EngineSourceError: Not an ONNX file, or not a U²-Net.
    """
    try:
        graph = onnx.load(path).graph
    except (DecodeError, OSError, ValueError) as error:
        raise EngineSourceError(f"cannot read {path} as ONNX ({error}); give a U²-Net's .onnx file") from error
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    normalisations = [node for node in graph.node if node.op_type == "BatchNormalization"]
    state: dict[str, torch.Tensor] = {}
    skeleton = U2Net(SMALL)
    state |= _stored(_in_order(skeleton, nn.Conv2d), convolutions, ("weight", "bias"), known, path)
    batch_norms = _in_order(skeleton, nn.BatchNorm2d)
    if normalisations:
        parts = ("weight", "bias", "running_mean", "running_var")
        state |= _stored(batch_norms, normalisations, parts, known, path)
    else:
        for name in batch_norms:
            channels = state[name.replace("bn_s1", "conv_s1") + ".weight"].shape[0]
            state |= _identity(name, channels)
    state |= {f"{name}.num_batches_tracked": torch.tensor(0) for name in batch_norms}
    return from_state(state, str(path))


def _stored(
    names: Sequence[str],
    nodes: Sequence[onnx.NodeProto],
    parts: tuple[str, ...],
    known: dict[str, np.ndarray],
    path: Path,
) -> dict[str, torch.Tensor]:
    if len(names) != len(nodes):
        raise EngineSourceError(
            f"{path} has {len(nodes)} {nodes[0].op_type if nodes else 'Conv'} nodes, a U²-Net has {len(names)}; "
            "give a U²-Net's .onnx file with FP32 weights"
        )
    state: dict[str, torch.Tensor] = {}
    for name, node in zip(names, nodes, strict=True):
        for part, source in zip(parts, node.input[1:], strict=False):
            if source not in known:
                raise EngineSourceError(f"{path} computes {source!r} instead of storing it; give FP32 weights")
            state[f"{name}.{part}"] = torch.from_numpy(known[source].astype(np.float32))
        if f"{name}.bias" not in state:  # exporters leave zeros out
            state[f"{name}.bias"] = torch.zeros(state[f"{name}.weight"].shape[0])
    return state


def _in_order(network: U2Net, kind: type[nn.Module]) -> list[str]:
    """Return the names of a network's layers of one kind in the order in which they run."""
    names = {layer: name for name, layer in network.named_modules() if isinstance(layer, kind)}
    order: list[str] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        order.append(names[layer])

    handles = [layer.register_forward_hook(note) for layer in names]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, _TRACED_SIDE, _TRACED_SIDE))
    for handle in handles:
        handle.remove()
    return order


def _identity(name: str, channels: int) -> dict[str, torch.Tensor]:
    epsilon = nn.BatchNorm2d(1).eps
    return {
        f"{name}.weight": torch.ones(channels),
        f"{name}.bias": torch.zeros(channels),
        f"{name}.running_mean": torch.zeros(channels),
        f"{name}.running_var": torch.full((channels,), 1 - epsilon),
    }
