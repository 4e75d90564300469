"""Triton's command line and environment, and the backend folder that it is pointed at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import alphacut_core
from alphacut_core.installed import CPU
from alphacut_core.shared_memory import GROWTH_BYTES
from alphacut_server.environment import Environment

LOOPBACK = "127.0.0.1"
_OF_GPUS = ("libcuda.so.1", "libcudart.so.13", "libcudart.so.12")
_MEBIBYTE = 2**20
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 * _MEBIBYTE),
    "MALLOC_TRIM_THRESHOLD_": str(8 * _MEBIBYTE),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""glibc's: left alone, it keeps a heap for each thread and what the largest photograph took in each of them.

What is given back after every photograph is mapped anew for the next one, cheaply by huge pages only.
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where Triton listens, on loopback only."""

    grpc: int
    metrics: int

    @property
    def grpc_url(self) -> str:
        """Address for gRPC clients."""
        return f"{LOOPBACK}:{self.grpc}"

    @property
    def metrics_url(self) -> str:
        """Address of the Prometheus page."""
        return f"http://{LOOPBACK}:{self.metrics}/metrics"


def command(
    environment: Environment, repository: Path, backends: Path, ports: Ports, models: Sequence[str], *, regions: str
) -> list[str]:
    """Return the arguments of ``tritonserver``, which loads ``models`` and the steps that they consist of.

    The names of its shared-memory regions begin with ``regions``.
    """
    python_settings = {
        "stub-timeout-seconds": 30,
        "shm-default-byte-size": 4 * _MEBIBYTE,
        "shm-growth-byte-size": GROWTH_BYTES,
        "shm-region-prefix-name": regions,
    }
    return [
        str(environment.triton / "bin" / "tritonserver"),
        f"--model-repository={repository}",
        f"--model-config-name={CPU}",
        "--model-control-mode=explicit",
        *(f"--load-model={model}" for model in models),
        f"--backend-directory={backends}",
        f"--cache-directory={environment.triton / 'caches'}",
        "--disable-auto-complete-config",
        "--allow-http=false",
        f"--grpc-address={LOOPBACK}",
        f"--grpc-port={ports.grpc}",
        f"--metrics-address={LOOPBACK}",
        f"--metrics-port={ports.metrics}",
        "--allow-gpu-metrics=false",
        "--grpc-infer-allocation-pool-size=0",  # a request kept for reuse keeps its photograph
        "--exit-timeout-secs=5",
        # One setting a flag: Triton 2.51 reads the first pair of a longer list and ignores the rest.
        *(f"--backend-config=python,{name}={value}" for name, value in python_settings.items()),
    ]


def variables(environment: Environment) -> dict[str, str]:
    """Return the process environment of ``tritonserver`` and its stubs.

    Without the wheel's libraries the stub dies at once and the server waits for it in silence; the stub
    becomes whichever ``python3`` is first on PATH. What the caller's own environment says of the allocator holds, and
    where it says that a GPU's driver lies.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_"))}
    return {
        **_ALLOCATOR,
        **inherited,
        "PATH": f"{environment.folder / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": os.pathsep.join([*map(str, environment.libraries), *_gpu_folders()]),
    }


def _gpu_folders() -> list[str]:
    """Return the folders on LD_LIBRARY_PATH that have NVIDIA's libraries: in containers often the only way to them.

    Others may have libraries of the same names as Triton's, and stay out.
    """
    named = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return [folder for folder in named if folder and any(Path(folder, library).exists() for library in _OF_GPUS)]


def assemble_backend(environment: Environment, folder: Path) -> Path:
    """Link the Python backend, the stub of the right version and ``alphacut_core`` into one folder.

    The stub ignores PYTHONPATH (its interpreter starts isolated) but searches its backend's folder, so the
    adapters import the very files of the running ``alphacut_core``.

    Returns:
        The folder to name as Triton's backend directory.
    """
    backend = folder / "backends" / "python"
    backend.mkdir(parents=True)
    stubs = environment.triton / "python_backend_stubs" / environment.python.version
    for source in (environment.triton / "backends" / "python", stubs):
        for file in source.iterdir():
            if file.is_file():
                (backend / file.name).symlink_to(file)
    (backend / "alphacut_core").symlink_to(Path(alphacut_core.__file__).parent, target_is_directory=True)
    return backend.parent
