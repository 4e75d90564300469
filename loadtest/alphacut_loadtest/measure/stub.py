"""The processes in which Triton runs Python models."""

from __future__ import annotations

from pathlib import Path

import psutil

_STUB = "triton_python_backend_stub"[:15]  # the kernel keeps 15 characters


def model_of(process: psutil.Process) -> str | None:
    """Return the name of the Triton model that a process runs, or None if it runs none."""
    if not process.name().startswith(_STUB):
        return None
    path = next((word for word in process.cmdline() if word.endswith(".py")), None)  # MODEL/VERSION/model.py
    return Path(path).parents[1].name if path else None
