"""Networks to and from files: the authors' checkpoints, this project's, and ONNX."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import torch

from alphacut_core import atomic
from alphacut_core.errors import EngineSourceError
from alphacut_training import onnx_weights
from alphacut_training.network import U2Net
from alphacut_training.state import WANTED, from_state

_LIGHTNING_PREFIX = "network."
_DIGITS = 16


def load(path: Path) -> U2Net:
    """Read a network, whatever its channels: full, small or pruned.

    Args:
        path: ``.pth`` or ``.pt`` with a state dict (the authors' or ``save``'s), ``.ckpt`` of ``alphacut train``,
            ``.onnx`` (published or exported here; batch normalisation may be folded into its convolutions, see
            ``unfold``).

    Returns:
        The network in evaluation mode, on the processor.

    Raises:
        EngineSourceError: No such file, or it holds no U²-Net.
    """
    if not path.is_file():
        raise EngineSourceError(f"got {path}, which is no file; {WANTED}")
    if path.suffix == ".onnx":
        return onnx_weights.load(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, OSError) as error:
        # PyTorch goes on to recommend loading it unsafely.
        cause = str(error).split(". ")[0].splitlines()[0] if str(error) else type(error).__name__
        raise EngineSourceError(f"cannot read {path} as a checkpoint of tensors ({cause}); {WANTED}") from error
    if isinstance(content, dict) and "state_dict" in content:  # Lightning's
        state = {name.removeprefix(_LIGHTNING_PREFIX): value for name, value in content["state_dict"].items()}
    else:
        state = content
    return from_state(state, str(path))


def fingerprint(path: Path) -> str:
    """Return 16 hexadecimal digits that tell a file from others, whatever it is called: of its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]


def save(network: U2Net, path: Path) -> None:
    """Write the state dict, whole or not at all."""
    with atomic.draft(path, shared=False) as place:
        # In rows, however training laid them out.
        torch.save({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, place)
