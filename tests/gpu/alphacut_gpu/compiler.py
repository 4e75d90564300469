"""What ``torch.compile`` needs ahead of time beside PyTorch, looked for where PyTorch looks, and without importing it.

https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html: a C++ compiler makes a library of the network's
code, which includes CUDA's headers and is linked to the driver's ``libcuda.so``; Triton's kernels are started through a
little C that includes Python's.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

_HEADERS = "cuda.h", "cuda_runtime_api.h"
_LINKED = "libcuda.so"


def program() -> str | None:
    """Return the path of the C++ compiler, or None."""
    return shutil.which(os.environ.get("CXX", "g++"))


def toolkit() -> Path | None:
    """Return CUDA's folder with the headers, or None."""
    named = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    nvcc = shutil.which("nvcc")
    home = Path(named) if named else Path(nvcc).parents[1] if nvcc else Path("/usr/local/cuda")
    return home if all((home / "include" / header).is_file() for header in _HEADERS) else None


def lacking() -> list[str]:
    """Return what is not there, in words."""
    include = sysconfig.get_path("include")
    lacks = [] if program() else [os.environ.get("CXX", "g++")]
    lacks += [] if toolkit() else ["CUDA's headers (CUDA_HOME/include/cuda.h)"]
    return lacks + ([] if Path(include, "Python.h").is_file() else [f"{include}/Python.h"])


def let_link(folder: Path) -> None:
    """Let this process's compiler link to the driver's library that the process has loaded.

    A driver that is mounted into a machine lies where no linker looks, and may lack the name without a number.

    Args:
        folder: Existing, for a link of that name.
    """
    loaded = _loaded()
    if loaded is None:
        return
    link = folder / _LINKED
    link.unlink(missing_ok=True)
    link.symlink_to(loaded)
    named = os.environ.get("LIBRARY_PATH")
    os.environ["LIBRARY_PATH"] = f"{named}:{folder}" if named else str(folder)


def _loaded() -> Path | None:
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = (Path(fields[5]) for line in lines if len(fields := line.split(maxsplit=5)) == 6)
    return next((path for path in paths if path.name.startswith(f"{_LINKED}.")), None)
