"""Whether a machine has what the course needs, told within seconds and before anything large is carried there."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from alphacut_gpu import libpython

_DISK_GB = 4
"""The pack, joined and unpacked, its installation twice, and what is measured."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is needed.

    Attributes:
        enough: Whether it is there.
        words: What is there, or is not.
        without: What follows where it is not, and what to do.
    """

    enough: bool
    words: str
    without: str

    def __str__(self) -> str:
        return f"ok     {self.words}" if self.enough else f"lacks  {self.words}: {self.without}"


def facts() -> Iterator[Fact]:
    """Yield what the course needs, one by one."""
    kind, (library, version) = f"{platform.system()} on {platform.machine()}", platform.libc_ver()
    new = library == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 35)
    fits = kind == "Linux on x86_64" and new
    yield Fact(fits, f"{kind}, {library} {version}", "Triton needs Linux on x86-64 with glibc 2.35")
    python = "{}.{}".format(*sys.version_info)
    versions = " or ".join(libpython.VERSIONS)
    yield Fact(python in libpython.VERSIONS, f"Python {python}", f"Triton's stub needs {versions}; set PYTHON")
    path = libpython.find(python)
    remedy = "serving fails; tests/gpu/pack.sh --libpython FILE, of the same version"
    yield Fact(path is not None, str(path or libpython.name(python)), remedy)
    yield Fact(_has("pip"), "pip", "nothing that is carried can be installed")
    gpus = _gpus()
    yield Fact(bool(gpus), gpus or "a GPU that nvidia-smi shows", "only the processor is measured")
    yield Fact(_has("torch"), "PyTorch", "its section is not run, and where TensorRT-RTX does not run, no GPU serves")
    free_gb = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    words = f"{free_gb:.0f} GB free in {tempfile.gettempdir()}"
    yield Fact(free_gb >= _DISK_GB, words, f"{_DISK_GB} are needed; set TMPDIR")


def tell() -> int:
    """Print them; the exit status is 0 if all are there."""
    found = list(facts())
    print("\n".join(map(str, found)), flush=True)
    return 0 if all(fact.enough for fact in found) else 1


def _has(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _gpus() -> str:
    """Return the driver's own line for each GPU; empty where there is no driver or no GPU."""
    command = ("nvidia-smi", "--query-gpu=name,compute_cap,memory.total,driver_version", "--format=csv,noheader")
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(asked.stdout.strip().splitlines())
