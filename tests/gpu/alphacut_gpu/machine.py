"""What all numbers stand on: processor, GPU, versions, commit."""

from __future__ import annotations

import dataclasses
import platform
import subprocess
from importlib import metadata
from typing import Any

from alphacut_engines import gpu
from alphacut_gpu.place import CHECKOUT, Place
from alphacut_loadtest.bench import machine

_TELLING = (
    *("alphacut", "torch", "onnxruntime", "onnxruntime-gpu", "tensorrt-rtx-cu13-libs", "nvidia-nvimgcodec-cu13"),
    *("nvidia-dali-cuda130", "openvino", "tritonclient", "locust", "grpcio", "numpy", "pillow"),
)


def measure(place: Place) -> None:
    """Describe the machine."""
    commit = machine.commit(CHECKOUT)
    place.keep(
        "machine",
        {
            "processor": dataclasses.asdict(machine.here()),
            "python": platform.python_version(),
            "gpus": [dataclasses.asdict(one) for one in gpu.visible()],
            "gpu_memory": _words("nvidia-smi", "--query-gpu=memory.total,clocks.max.sm", "--format=csv,noheader"),
            "versions": _versions(),
            "commit": dataclasses.asdict(commit) if commit else None,
        },
    )


def _versions() -> dict[str, str]:
    versions = {}
    for name in _TELLING:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _words(*command: str) -> Any:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
