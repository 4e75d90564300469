"""Which of a server's processes run Python models."""

from __future__ import annotations

import psutil

from alphacut_core import stub

_NAME = stub.PROGRAM[:15]  # the kernel keeps 15 characters


def model_of(process: psutil.Process) -> str | None:
    """Return the name of the Triton model that a process runs, or None if it runs none."""
    return stub.model_of(process.cmdline()) if process.name().startswith(_NAME) else None
