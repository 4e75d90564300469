"""Which of a server's processes run Python models."""

from __future__ import annotations

import psutil

from alphacut_core import stub


def model_of(process: psutil.Process) -> str | None:
    """Return the name of the Triton model that a process runs, or None if it runs none."""
    return stub.model_of(process.cmdline()) if process.name().startswith(stub.NAME) else None
