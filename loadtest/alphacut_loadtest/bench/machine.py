"""Where a result comes from: hardware and commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

_TELLING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


@dataclass(frozen=True, slots=True)
class Machine:
    """Hardware and system.

    Attributes:
        processor: Its name.
        cores: How many this process may use.
        memory_bytes: Of the whole machine.
        flags: Processor features that decide the engine's speed.
        system: Kernel and its version.
        load_before: Processes ready to run in the last minute, before the bench: above 0, others work here too.
    """

    processor: str
    cores: int
    memory_bytes: int
    flags: tuple[str, ...]
    system: str
    load_before: float


@dataclass(frozen=True, slots=True)
class Commit:
    """State of the checkout; ``changed`` says whether files differ from it."""

    sha: str
    changed: bool


def here() -> Machine:
    """Describe this machine."""
    info = Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    flags = re.search(r"^flags\s*: (.*)$", info, re.MULTILINE)
    present = set(flags[1].split()) if flags else set()
    return Machine(
        processor=name[1] if name else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        flags=tuple(flag for flag in _TELLING_FLAGS if flag in present),
        system=f"{platform.system()} {platform.release()}",
        load_before=round(os.getloadavg()[0], 2),
    )


def commit(folder: Path) -> Commit | None:
    """Return what is checked out in ``folder``, or None where that is no checkout's root or git is missing."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")) != folder.resolve():
            return None  # a folder within somebody's checkout, as that of installed packages may be
        return Commit(git("rev-parse", "HEAD"), bool(git("status", "--porcelain")))
    except (OSError, subprocess.CalledProcessError):
        return None
