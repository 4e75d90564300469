"""Folders that several processes share, on Unix; the kernel lets go of what a process has locked when it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others out of ``folder`` for the time being."""
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def alone_if_free(folder: Path) -> Iterator[bool]:
    """Yield whether nobody else has ``folder``, and if so keep others out of it."""
    with _opened(folder) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free


def is_used(folder: Path) -> bool:
    """Return whether anybody keeps others out of ``folder``, in another container too."""
    with alone_if_free(folder) as free:
        return not free


@contextmanager
def beside_others(folder: Path) -> Iterator[int]:
    """Keep those out of ``folder`` who want it alone.

    Yields a descriptor; they are kept out until the last copy of it is closed, too.
    """
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
