"""The processes in which Triton runs Python models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PROGRAM = "triton_python_backend_stub"
NAME = PROGRAM[:15]
"""What the kernel keeps of it."""


def model_of(command: Sequence[str]) -> str | None:
    """Return the name of the Triton model that a process runs, or None if it runs none.

    Args:
        command: The process' program and arguments.
    """
    if not command or Path(command[0]).name != PROGRAM:
        return None
    path = next((word for word in command if word.endswith(".py")), None)  # MODEL/VERSION/model.py
    return Path(path).parents[1].name if path else None
