"""The shared library of a Python, which Triton's stub is linked to and not every machine has."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

VERSIONS = ("3.11", "3.12")
"""Of Pythons for which Triton 2.51 has a stub."""

GLIBC = (2, 35)
"""The oldest C library that Triton 2.51 runs with, so no wheel that is carried may need a newer one."""

_SYSTEM = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib")


def name(version: str) -> str:
    """Return what the library of ``X.Y`` is called."""
    return f"libpython{version}.so.1.0"


def find(version: str) -> Path | None:
    """Return where it lies on this machine, or None."""
    named = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    folders = (sysconfig.get_config_var("LIBDIR"), f"{sys.base_prefix}/lib", *named, *_SYSTEM)
    return next((path for folder in folders if folder and (path := Path(folder, name(version))).is_file()), None)


def offer(folder: Path) -> None:
    """Let this process's children find a carried library, where the machine has none for the running Python.

    Its own goes first: another build's does not have what systems build into theirs, such as ``math``, and dies.
    """
    if find("{}.{}".format(*sys.version_info)) is None:
        named = os.environ.get("LD_LIBRARY_PATH")
        os.environ["LD_LIBRARY_PATH"] = f"{named}:{folder}" if named else str(folder)
