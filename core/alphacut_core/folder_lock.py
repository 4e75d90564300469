"""Folders that several processes share, on Unix."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others out of ``folder`` for the time being; the kernel lets go if this process dies."""
    with _locked(folder, fcntl.LOCK_EX):
        yield


@contextmanager
def beside_others(folder: Path) -> Iterator[None]:
    """Keep those out of ``folder`` who want it alone."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def is_used(folder: Path) -> bool:
    """Return whether anybody keeps others out of ``folder``, in another container too."""
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


@contextmanager
def _locked(folder: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)
