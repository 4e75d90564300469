"""Whether a machine has what the course needs, told within seconds and before anything large is carried there."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alphacut_gpu import compiler, libpython

_HERE = "{}.{}".format(*sys.version_info)
_DISK_GB = 4
"""The pack, joined and unpacked, its installation twice, and what is measured."""

_MEMORY_GB, _SHARED_MB = 8, 256
_SHARED = "/dev/shm"  # noqa: S108  where Linux has it; nothing is written there
_DRIVER = 580
"""What CUDA 13 needs."""

_PATIENCE_S = 10
"""For a driver that hangs."""


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
    """Yield what the course needs, one by one; what cannot be looked at is lacking, in the system's words."""
    for look in (_system, _python, _library, _pip, _gpu, _pytorch, _compiler, _disk, _memory, _shared_memory):
        try:
            yield look()
        except Exception as error:  # noqa: BLE001  there is one chance to learn of the others
            yield Fact(False, f"{look.__name__[1:]}: {type(error).__name__}: {error}", "look at it by hand")


def _system() -> Fact:
    kind, (library, version) = f"{platform.system()} on {platform.machine()}", platform.libc_ver()
    new = library == "glibc" and tuple(map(int, version.split(".")[:2])) >= libpython.GLIBC
    oldest = "{}.{}".format(*libpython.GLIBC)
    without = f"Triton and the wheels that are carried need Linux on x86-64 with glibc {oldest}"
    return Fact(kind == "Linux on x86_64" and new, f"{kind}, {library} {version}", without)


def _python() -> Fact:
    versions = " or ".join(libpython.VERSIONS)
    words = f"Python {_HERE}, {sys.executable}"
    return Fact(_HERE in libpython.VERSIONS, words, f"Triton's stub needs {versions}; set PYTHON")


def _library() -> Fact:
    path = libpython.find(_HERE)
    remedy = "around and serving fail; carry this very build's by tests/gpu/pack.sh --libpython FILE"
    whole = "or a whole Python that has one: set PYTHON to it, and PYTHONPATH to the folder of PyTorch"
    return Fact(path is not None, str(path or libpython.name(_HERE)), f"{remedy}, {whole}")


def _pip() -> Fact:
    return Fact(_has("pip"), "pip", "nothing that is carried can be installed")


def _gpu() -> Fact:
    command = ("nvidia-smi", "--query-gpu=name,compute_cap,memory.total,driver_version", "--format=csv,noheader")
    without = "only the processor is measured"
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except FileNotFoundError:
        return Fact(False, "a GPU that nvidia-smi shows (there is no nvidia-smi)", without)
    except subprocess.TimeoutExpired:
        return Fact(False, f"a GPU that nvidia-smi shows (no answer in {_PATIENCE_S} s)", without)
    lines = asked.stdout.strip().splitlines()
    if asked.returncode or not lines:
        said = " ".join((asked.stdout + asked.stderr).split())
        return Fact(False, f"a GPU that nvidia-smi shows (it says: {said})", without)
    drivers = [line.rpartition(",")[2].strip() for line in lines]
    enough = all(int(driver.partition(".")[0]) >= _DRIVER for driver in drivers)
    words = "; ".join(
        f"{line.rpartition(',')[0]}, driver {driver}" for line, driver in zip(lines, drivers, strict=True)
    )
    return Fact(enough, words, f"TensorRT-RTX and what else is carried for CUDA 13 need driver {_DRIVER}")


def _pytorch() -> Fact:
    without = "its sections are not run, and where TensorRT-RTX does not run, no GPU serves"
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return Fact(False, "PyTorch", without)
    said = Path(spec.origin).with_name("version.py").read_text()  # to import it takes as long as all the rest
    version, cuda = (
        found.group(1) if (found := re.search(rf"^{name}\b.*?= *'([^']*)'", said, re.MULTILINE)) else None
        for name in ("__version__", "cuda")
    )
    built = f"CUDA {cuda}" if cuda else "no CUDA"
    return Fact(cuda is not None, f"PyTorch {version} for {built}, {Path(spec.origin).parent}", without)


def _compiler() -> Fact:
    lacks = compiler.lacking()
    without = (
        "torch_compiled is not run: PyTorch is served by CUDA graphs, uncompiled; install a compiler, or set CXX or"
    )
    words = f"{compiler.program()}, CUDA's headers in {compiler.toolkit()}"
    return Fact(not lacks, ", ".join(lacks) or words, f"{without} CUDA_HOME")


def _disk() -> Fact:
    folder = tempfile.gettempdir()
    free_gb = shutil.disk_usage(folder).free / 1e9
    return Fact(free_gb >= _DISK_GB, f"{free_gb:.0f} GB free in {folder}", f"{_DISK_GB} are needed; set TMPDIR")


def _memory() -> Fact:
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free_gb = int(lines["MemAvailable"].split()[0]) * 1024 / 1e9
    cores = len(os.sched_getaffinity(0))
    without = f"{_MEMORY_GB} are needed, or the system ends a section"
    return Fact(free_gb >= _MEMORY_GB, f"{free_gb:.0f} GB of memory free, {cores} processors", without)


def _shared_memory() -> Fact:
    free_mb = shutil.disk_usage(_SHARED).free / 1e6
    without = f"pictures go to Triton's stubs through it, and {_SHARED_MB} are needed; docker run --shm-size 1g"
    return Fact(free_mb >= _SHARED_MB, f"{free_mb:,.0f} MB of shared memory free", without)


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
