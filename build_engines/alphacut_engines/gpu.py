"""The GPUs of this machine that CUDA programs see, as NVIDIA's driver names them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from alphacut_core.errors import EngineBuildError

_QUERY = ("nvidia-smi", "--query-gpu=name,compute_cap,driver_version,uuid", "--format=csv,noheader")
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        name: ``NVIDIA L4``, for instance.
        compute_capability: ``8.9``, for instance.
        driver: Version of NVIDIA's driver.
    """

    name: str
    compute_capability: str
    driver: str


def visible() -> tuple[Gpu, ...]:
    """Return the GPUs that ``CUDA_VISIBLE_DEVICES`` lets through, all where it is not set; none without a driver."""
    try:
        # The program comes with the driver, in containers too, and is found as users find it.
        asked = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ()
    return chosen(parse(asked.stdout), os.environ) if asked.returncode == 0 else ()


def parse(text: str) -> dict[str, Gpu]:
    """Read what ``nvidia-smi`` prints, a line a GPU, into GPUs by UUID; names have no commas."""
    fields = (tuple(field.strip() for field in line.split(",")) for line in text.splitlines() if line.strip())
    return {four[3]: Gpu(*four[:3]) for four in fields if len(four) == 4}


def chosen(gpus: Mapping[str, Gpu], environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA programs see, by CUDA's rules: the first name of none hides all that follow.

    Where the variable does not tell which they are, all count, so that nothing is taken to fit that may not: MIG names
    parts of GPUs, and CUDA gives GPUs of several kinds other numbers than nvidia-smi does, unless told not to.

    Args:
        gpus: By UUID, in the order of nvidia-smi.
        environ: Variables of the programs.
    """
    everyone = tuple(gpus.values())
    names = environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return everyone
    numbered_alike = environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in everyone}) == 1
    seen: list[Gpu] = []
    for name in map(str.strip, names.split(",")):
        if name.startswith("MIG-") or (name.isdecimal() and not numbered_alike):
            return everyone
        if name.isdecimal():
            meant = everyone[int(name) :][:1]
        else:
            meant = tuple(gpu for uuid, gpu in gpus.items() if name.startswith("GPU-") and uuid.startswith(name))
        if len(meant) != 1:
            break
        seen += meant
    return tuple(seen)


def to_build_for() -> Gpu:
    """Return the GPU that TensorRT will time its kernels on.

    Raises:
        EngineBuildError: There is none, or there are several kinds, of which a plan would fit only one.
    """
    gpus = visible()
    if not gpus:
        raise EngineBuildError(
            "stage engine: TensorRT times its kernels on the GPU that will serve them and nvidia-smi shows none here, "
            "or CUDA_VISIBLE_DEVICES hides it; run it where the GPU is, in Docker with --gpus all, or build for "
            "tensorrt_rtx, which needs none"
        )
    if len(kinds := sorted({gpu.name for gpu in gpus})) > 1:
        raise EngineBuildError(
            f"stage engine: this machine has GPUs of several kinds ({', '.join(kinds)}) and a plan fits one; "
            "let the container see one kind only, with --gpus device=N, or name one by its UUID in CUDA_VISIBLE_DEVICES"
        )
    return gpus[0]
