"""The GPU that sections ask for."""

from __future__ import annotations

import subprocess
from typing import Any

from alphacut_engines import gpu
from alphacut_engines.gpu import Gpu
from alphacut_gpu.place import NotRunError


def needed() -> Gpu:
    """Return the first GPU.

    Raises:
        NotRunError: There is none.
    """
    found = gpu.visible()
    if not found:
        raise NotRunError("no GPU: nvidia-smi is not there or shows none, or CUDA_VISIBLE_DEVICES hides it")
    return found[0]


def torch() -> Any:
    """Return PyTorch with a GPU that it can use.

    Raises:
        NotRunError: It is not installed, or sees none.
    """
    needed()
    try:
        import torch
    except ImportError as error:
        raise NotRunError(f"PyTorch is not installed ({error})") from error
    if not torch.cuda.is_available():
        raise NotRunError(f"PyTorch {torch.__version__} sees no GPU")
    return torch


def memory_used_bytes() -> int:
    """Return what is taken of the first GPU's memory by all processes together."""
    command = ("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits")
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return int(asked.stdout.split()[0]) * 2**20
