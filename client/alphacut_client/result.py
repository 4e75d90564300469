"""The files that a command writes for whoever typed it."""

from __future__ import annotations

from pathlib import Path

from alphacut_client.commands import CommandError
from alphacut_core import atomic


def write(path: Path, content: bytes) -> None:
    """Write a file in one step, folders as needed.

    Raises:
        CommandError: It cannot be written; nothing of it is left.
    """
    try:
        atomic.write(path, content)
    except OSError as error:
        raise CommandError(f"cannot write {path} ({error.strerror})") from error
