"""The GPUs of this machine, as NVIDIA's driver names them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from alphacut_core.errors import EngineBuildError

_QUERY = ("nvidia-smi", "--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader")
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
    """Return this machine's GPUs; none without NVIDIA's driver."""
    try:
        # The program comes with the driver, in containers too, and is found as users find it.
        asked = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ()
    return parse(asked.stdout) if asked.returncode == 0 else ()


def parse(text: str) -> tuple[Gpu, ...]:
    """Read what ``nvidia-smi`` prints: a line a GPU; names have no commas."""
    fields = (tuple(field.strip() for field in line.split(",")) for line in text.splitlines() if line.strip())
    return tuple(Gpu(*three) for three in fields if len(three) == 3)


def to_build_for() -> Gpu:
    """Return the GPU that TensorRT will time its kernels on.

    Raises:
        EngineBuildError: There is none, or there are several kinds, of which a plan would fit only one.
    """
    gpus = visible()
    if not gpus:
        raise EngineBuildError(
            "stage engine: TensorRT times its kernels on the GPU that will serve them and nvidia-smi shows none here; "
            "run it where the GPU is, in Docker with --gpus all, or build for tensorrt_rtx, which needs none"
        )
    if len(kinds := sorted({gpu.name for gpu in gpus})) > 1:
        raise EngineBuildError(
            f"stage engine: this machine has GPUs of several kinds ({', '.join(kinds)}) and a plan fits one; "
            "let the container see one kind only, with --gpus device=N"
        )
    return gpus[0]
